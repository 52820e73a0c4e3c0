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

CREATE INDEX receipt_window ON receipt (installation, window_start, keyed, sha256, received_at);

-- Those that a later attempt of the same window may supersede. (In an order that nothing else has: or PostgreSQL may
-- look for the newest of a window among all reports.)
CREATE INDEX receipt_attempt ON receipt (installation, window_start, received_at, number)
    WHERE keyed = 0 AND state = 'counted';

-- What waits for a decision is little, and is looked for by itself.
CREATE INDEX receipt_quarantined ON receipt (number) WHERE state = 'quarantined';

-- Every decision about a report in quarantine: what it became, and who decided.
CREATE TABLE decision (
    number BIGINT NOT NULL,
    decided_at BIGINT NOT NULL,
    decided_by TEXT NOT NULL,
    state TEXT NOT NULL
);

CREATE INDEX decision_report ON decision (number);

-- What an installation has sent so far, of what was accepted; followed from the receipts, soon after they came.
CREATE TABLE installation (
    installation TEXT PRIMARY KEY,
    product TEXT NOT NULL,
    version TEXT NOT NULL,
    reports BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    last_number BIGINT NOT NULL,
    peaks TEXT NOT NULL,
    believed TEXT NOT NULL
);

CREATE INDEX installation_last ON installation (last_at);

-- How many reports came on a day (days since 1970, UTC), and how many of them were set apart; followed likewise.
CREATE TABLE arrival (
    day INTEGER PRIMARY KEY,
    reports BIGINT NOT NULL,
    set_apart BIGINT NOT NULL
);

-- Up to which receipt that is done.
CREATE TABLE followed (
    number INTEGER PRIMARY KEY,
    up_to BIGINT NOT NULL
);

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
