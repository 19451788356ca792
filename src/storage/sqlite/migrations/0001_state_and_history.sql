-- The current state and the history of a store.
--
-- Times are milliseconds since 1970-01-01T00:00:00Z, fingerprints 16 hexadecimal digits, labels
-- and annotations JSON objects. Numbers of transitions, decisions and attempts rise as they were
-- committed.

-- The alerts of all rules as they are now. An alert may be active again while the end of its last
-- firing still has to be told: then it has two rows.
CREATE TABLE alert (
    rule_file         TEXT NOT NULL,
    rule_group        TEXT NOT NULL,
    rule_name         TEXT NOT NULL,
    rule_nth          INTEGER NOT NULL,   -- which of the group's rules with this name, from 0
    fingerprint       TEXT NOT NULL,
    resolved          INTEGER NOT NULL,   -- 1 where resolved_at is set, otherwise 0
    labels            TEXT NOT NULL,
    annotations       TEXT NOT NULL,
    state             TEXT NOT NULL,      -- inactive, pending, firing
    value             REAL,               -- null is NaN, which SQLite cannot hold
    active_at         INTEGER NOT NULL,
    fired_at          INTEGER,
    keep_firing_since INTEGER,
    resolved_at       INTEGER,
    generator_url     TEXT NOT NULL,
    routed            TEXT NOT NULL,      -- the labels in routing, external labels included
    PRIMARY KEY (rule_file, rule_group, rule_name, rule_nth, fingerprint, resolved)
) STRICT, WITHOUT ROWID;

-- What changed about alerts; the alert's columns are those after the change.
CREATE TABLE transition (
    id                INTEGER PRIMARY KEY,
    at                INTEGER NOT NULL,
    rule_file         TEXT NOT NULL,
    rule_group        TEXT NOT NULL,
    rule_name         TEXT NOT NULL,
    rule_nth          INTEGER NOT NULL,
    fingerprint       TEXT NOT NULL,
    from_state        TEXT NOT NULL,
    to_state          TEXT NOT NULL,
    reason            TEXT NOT NULL,
    labels            TEXT NOT NULL,
    annotations       TEXT NOT NULL,
    state             TEXT NOT NULL,
    value             REAL,
    active_at         INTEGER NOT NULL,
    fired_at          INTEGER,
    keep_firing_since INTEGER,
    resolved_at       INTEGER
) STRICT;
CREATE INDEX transition_by_alert ON transition (fingerprint, at);
CREATE INDEX transition_by_time ON transition (at);

-- What routing decided, whenever that changed.
CREATE TABLE decision (
    id          INTEGER PRIMARY KEY,
    at          INTEGER NOT NULL,
    fingerprint TEXT NOT NULL,            -- of the labels in routing
    group_key   TEXT NOT NULL,
    receiver    TEXT NOT NULL,
    integration TEXT,                     -- null where it is about the whole group
    integration_index INTEGER,
    reason      TEXT NOT NULL,
    detail      TEXT NOT NULL
) STRICT;
CREATE INDEX decision_by_alert ON decision (fingerprint, at);
CREATE INDEX decision_by_time ON decision (at);

-- The aggregation groups and their timers.
CREATE TABLE aggregation_group (
    group_key   TEXT NOT NULL,
    receiver    TEXT NOT NULL,
    labels      TEXT NOT NULL,
    next_flush  INTEGER NOT NULL,
    has_flushed INTEGER NOT NULL,         -- 0 or 1
    PRIMARY KEY (group_key, receiver)
) STRICT, WITHOUT ROWID;

-- What each receiver has been told of each group: two JSON objects {firing, resolved, at}.
CREATE TABLE notification_log (
    group_key         TEXT NOT NULL,
    receiver          TEXT NOT NULL,
    integration       TEXT NOT NULL,      -- email, slack, pagerduty, webhook
    integration_index INTEGER NOT NULL,
    enqueued          TEXT,               -- what was last decided to be said
    delivered         TEXT,               -- what the receiver is known to have
    receiver_state    TEXT,               -- JSON: what the integration remembers of the group
    PRIMARY KEY (group_key, receiver, integration, integration_index)
) STRICT, WITHOUT ROWID;

-- What is still to be delivered. AUTOINCREMENT, because a number is never used again.
CREATE TABLE outbox (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    idempotency_key   TEXT NOT NULL,
    group_key         TEXT NOT NULL,
    receiver          TEXT NOT NULL,
    integration       TEXT NOT NULL,
    integration_index INTEGER NOT NULL,
    group_labels      TEXT NOT NULL,
    alerts            TEXT NOT NULL,      -- JSON array of what is said of each alert
    untold            TEXT NOT NULL,      -- JSON array of fingerprints that must be told
    reason            TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    attempts          INTEGER NOT NULL,
    next_attempt      INTEGER NOT NULL,
    last_error        TEXT
) STRICT;

-- How every attempt at delivery ended.
CREATE TABLE attempt (
    id                INTEGER PRIMARY KEY,
    at                INTEGER NOT NULL,
    entry             INTEGER NOT NULL,
    number            INTEGER NOT NULL,   -- which attempt at the entry it was, from 1
    group_key         TEXT NOT NULL,
    receiver          TEXT NOT NULL,
    integration       TEXT NOT NULL,
    integration_index INTEGER NOT NULL,
    reason            TEXT NOT NULL,
    outcome           TEXT NOT NULL,      -- delivered, retry, permanent
    status            INTEGER,
    error             TEXT,
    alerts            TEXT NOT NULL       -- JSON array of fingerprints
) STRICT;
CREATE INDEX attempt_by_time ON attempt (at);

-- Finds the attempts that named an alert.
CREATE TABLE attempt_alert (
    fingerprint TEXT NOT NULL,
    attempt     INTEGER NOT NULL,
    PRIMARY KEY (fingerprint, attempt)
) STRICT, WITHOUT ROWID;

-- When the program was last known to be alive: one row.
CREATE TABLE heartbeat (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    at INTEGER NOT NULL
) STRICT;
