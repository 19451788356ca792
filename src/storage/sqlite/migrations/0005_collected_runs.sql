-- What the collector has counted of MLflow's runs.

-- One row: how far its source has been read.
CREATE TABLE collector (
    id     INTEGER PRIMARY KEY CHECK (id = 1),
    source TEXT NOT NULL,             -- a hash of the tracking server's address
    cursor INTEGER NOT NULL,          -- the newest end of a run that is known
    floor  INTEGER NOT NULL           -- ends before this are not counted any more
) STRICT;

CREATE TABLE collected_experiment (
    id          TEXT PRIMARY KEY,     -- empty for all that have no place of their own
    name        TEXT NOT NULL,
    finished    INTEGER NOT NULL,     -- how many of its runs ended so since the counting began
    failed      INTEGER NOT NULL,
    killed      INTEGER NOT NULL,
    last_failed INTEGER               -- when one failed last
) STRICT, WITHOUT ROWID;

-- Runs that must not be counted again.
CREATE TABLE collected_run (
    id       TEXT PRIMARY KEY,
    ended_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX collected_run_by_end ON collected_run (ended_at);
