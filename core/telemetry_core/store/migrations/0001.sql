-- Plain SQL that SQLite and PostgreSQL both understand; instants are milliseconds since 1970 (UTC).
CREATE TABLE property (
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (scope, name)
);

-- The consent's history, append-only: each row's digest covers the digest of the row before it.
CREATE TABLE consent (
    number INTEGER PRIMARY KEY,
    engine TEXT NOT NULL,
    decision TEXT NOT NULL,
    digest TEXT NOT NULL
);

CREATE TABLE contact (
    engine TEXT PRIMARY KEY,
    contact TEXT NOT NULL
);

-- What of an installation was counted already, what waits to be reported, and where the next window starts.
CREATE TABLE base (
    installation TEXT PRIMARY KEY,
    ledger TEXT NOT NULL,
    digest TEXT NOT NULL
);

CREATE TABLE report (
    id TEXT PRIMARY KEY,
    installation TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    slot BIGINT,
    window_start BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    body BLOB NOT NULL,
    record TEXT NOT NULL,
    digest TEXT NOT NULL
);

-- The pending report is the claim: one a slot, and one at a time.
CREATE UNIQUE INDEX report_slot ON report (installation, kind, slot) WHERE state <> 'withdrawn';
CREATE UNIQUE INDEX report_pending ON report (installation, kind) WHERE state = 'pending';
CREATE INDEX report_created ON report (created_at);

-- Every document ever prepared, append-only: each row's digest covers the digest of the row before it.
CREATE TABLE document (
    number INTEGER PRIMARY KEY,
    report TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    prepared_at BIGINT NOT NULL,
    digest TEXT NOT NULL
);

CREATE TABLE attempt (
    report TEXT NOT NULL,
    number INTEGER NOT NULL,
    attempt TEXT NOT NULL,
    PRIMARY KEY (report, number)
);

CREATE TABLE migration (
    version INTEGER PRIMARY KEY,
    applied_at BIGINT NOT NULL
);
