-- Plain SQL that SQLite and PostgreSQL both understand; instants are milliseconds since 1970 (UTC).
-- A receipt for every report that was ever stored: what makes it once and once only. It outlives the report's body.
CREATE TABLE receipt (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    keyed INTEGER NOT NULL,
    sha256 TEXT NOT NULL,
    installation TEXT NOT NULL,
    window_start TEXT NOT NULL,
    received_at BIGINT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT NOT NULL
);

CREATE INDEX receipt_window ON receipt (installation, window_start, received_at);

-- What is left of reports whose month is over for long: their counts, summed by day (UTC) and installation, as JSON.
CREATE TABLE daily_total (
    day TEXT NOT NULL,
    installation TEXT NOT NULL,
    product TEXT NOT NULL,
    version TEXT NOT NULL,
    edition TEXT NOT NULL,
    reports BIGINT NOT NULL,
    counts TEXT NOT NULL,
    PRIMARY KEY (day, installation, product, version, edition)
);

-- When something was last committed for no other reason than to see whether it can be.
CREATE TABLE heartbeat (
    number INTEGER PRIMARY KEY,
    beaten_at BIGINT NOT NULL
);

CREATE TABLE migration (
    version INTEGER PRIMARY KEY,
    applied_at BIGINT NOT NULL,
    readable_from INTEGER
);
