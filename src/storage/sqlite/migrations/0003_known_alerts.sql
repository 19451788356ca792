-- What `explain` needs: the alerts by the labels that people know, also when they are gone.

-- An alert within its rule and in routing. Transitions are about the former, decisions and attempts
-- about the latter.
CREATE TABLE known_alert (
    fingerprint TEXT NOT NULL,            -- of the labels in routing
    instance    TEXT NOT NULL,            -- of the labels within the rule
    labels      TEXT NOT NULL,            -- in routing
    seen_at     INTEGER NOT NULL,         -- when it last changed
    PRIMARY KEY (fingerprint, instance)
) STRICT, WITHOUT ROWID;
CREATE INDEX known_alert_by_time ON known_alert (seen_at);
CREATE INDEX known_alert_by_instance ON known_alert (instance);
CREATE INDEX alert_by_fingerprint ON alert (fingerprint);

-- Until now external labels were stored with current alerts only: what is past is known without.
INSERT INTO known_alert (fingerprint, instance, labels, seen_at)
    SELECT fingerprint, fingerprint, labels, max(at) FROM transition GROUP BY fingerprint;

-- Which of its alerts an attempt named as resolved (JSON array of fingerprints), and when it is
-- tried again.
ALTER TABLE attempt ADD COLUMN resolved TEXT NOT NULL DEFAULT '[]';
ALTER TABLE attempt ADD COLUMN next_attempt INTEGER;

-- The starts of the program.
CREATE TABLE start (
    id         INTEGER PRIMARY KEY,
    at         INTEGER NOT NULL,
    last_alive INTEGER                    -- of the process before; null where there was none
) STRICT;
CREATE INDEX start_by_time ON start (at);
