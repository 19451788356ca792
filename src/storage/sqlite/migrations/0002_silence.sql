-- What people on call do not want to hear of for a while. The matchers are a JSON array of objects
-- {name, value, isRegex, isEqual}.
CREATE TABLE silence (
    id         TEXT PRIMARY KEY,          -- a UUID
    matchers   TEXT NOT NULL,
    starts_at  INTEGER NOT NULL,
    ends_at    INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    comment    TEXT NOT NULL
) STRICT, WITHOUT ROWID;
