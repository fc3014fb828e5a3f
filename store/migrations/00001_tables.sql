-- One schema for SQLite and PostgreSQL. Moments are microseconds since 1970 in UTC, and 0 is "never"; JSON is text; what must sort the
-- same on both databases is bytes.

-- +goose Up

-- What belongs to the database as a whole: one row.
CREATE TABLE stores (
    id          BIGINT PRIMARY KEY CHECK (id = 1),
    fingerprint TEXT   NOT NULL -- of the key file that this database belongs to
);

-- The last number given to a run, a waiver, a mapping.
CREATE TABLE counters (
    name TEXT   PRIMARY KEY,
    last BIGINT NOT NULL
);

-- What is known of a target beside its configuration.
CREATE TABLE targets (
    name            TEXT   PRIMARY KEY,
    host            TEXT   NOT NULL DEFAULT '',
    organization_id TEXT   NOT NULL DEFAULT '',
    organization    TEXT   NOT NULL DEFAULT '',
    self            TEXT   NOT NULL DEFAULT '',
    paused_by       TEXT   NOT NULL DEFAULT '',
    pause_reason    TEXT   NOT NULL DEFAULT '',
    paused_at       BIGINT NOT NULL DEFAULT 0
);

CREATE TABLE credentials (
    place  TEXT   PRIMARY KEY, -- "target:octo": also what the ciphertext is bound to
    sealed BYTEA  NOT NULL,
    at     BIGINT NOT NULL
);

CREATE TABLE hints (
    target TEXT NOT NULL,
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (target, name)
);

CREATE TABLE sources (
    name      TEXT   PRIMARY KEY,
    taken_at  BIGINT NOT NULL DEFAULT 0, -- of body
    body      BYTEA,                     -- the last complete snapshot
    failure   TEXT   NOT NULL DEFAULT '',
    failed_at BIGINT NOT NULL DEFAULT 0
);

-- The figures of every complete read, for good. Sizes that did not change since an earlier read are kept with that read only.
CREATE TABLE source_reads (
    source   TEXT   NOT NULL,
    taken_at BIGINT NOT NULL,
    groups_n BIGINT NOT NULL,
    users_n  BIGINT NOT NULL,
    linked_n BIGINT NOT NULL,
    active_n BIGINT NOT NULL,
    sizes_at BIGINT NOT NULL, -- the read that holds the sizes; 0 for one whose sizes are nothing to compare with
    sizes    BYTEA,           -- flattened size of each group whose members were read
    PRIMARY KEY (source, taken_at)
);

CREATE TABLE source_groups (
    source        TEXT    NOT NULL,
    id            TEXT    NOT NULL,
    name          TEXT    NOT NULL,
    description   TEXT    NOT NULL,
    folded        BYTEA   NOT NULL, -- the name as it is searched, then the id: one column to find, to sort and to go on by
    first_seen    BIGINT  NOT NULL,
    had_members   BOOLEAN NOT NULL, -- in any complete read
    missing_since BIGINT  NOT NULL, -- of the first complete read without it
    missing_reads BIGINT  NOT NULL,
    PRIMARY KEY (source, id)
);
CREATE INDEX source_groups_in_order ON source_groups (source, folded);
CREATE INDEX source_groups_past ON source_groups (source) WHERE had_members OR missing_since <> 0;

CREATE TABLE mappings (
    target     TEXT   NOT NULL,
    number     BIGINT NOT NULL, -- ours: several mappings of one line or rule share their id
    id         TEXT   NOT NULL, -- "file:12", "rule:1", or the number
    origin     TEXT   NOT NULL,
    team       TEXT   NOT NULL,
    team_id    TEXT   NOT NULL,
    source     TEXT   NOT NULL,
    group_name TEXT   NOT NULL,
    group_id   TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    mode       TEXT   NOT NULL,
    creates    TEXT   NOT NULL, -- JSON of team.New, or empty
    echo       TEXT   NOT NULL, -- JSON of mapping.Echo, or empty
    PRIMARY KEY (target, number)
);

CREATE TABLE disconnects (
    target   TEXT    NOT NULL,
    number   BIGINT  NOT NULL,
    team     TEXT    NOT NULL,
    ends_at  BIGINT  NOT NULL, -- the grace
    made_by  TEXT    NOT NULL,
    origin   TEXT    NOT NULL, -- of the mappings that are gone
    keep     BOOLEAN NOT NULL,
    PRIMARY KEY (target, number)
);

CREATE TABLE links (
    host     TEXT   NOT NULL,
    source   TEXT   NOT NULL,
    user_id  TEXT   NOT NULL,
    account  TEXT   NOT NULL,
    login    TEXT   NOT NULL,
    tier     TEXT   NOT NULL,
    evidence TEXT   NOT NULL,
    value    TEXT   NOT NULL,
    note     TEXT   NOT NULL,
    organization TEXT NOT NULL,
    made_by  TEXT   NOT NULL,
    made_at  BIGINT NOT NULL,
    seen_at  BIGINT NOT NULL,
    state    TEXT   NOT NULL,
    trouble  TEXT   NOT NULL,
    PRIMARY KEY (host, source, user_id)
);

CREATE TABLE statements (
    host    TEXT   NOT NULL,
    source  TEXT   NOT NULL,
    user_id TEXT   NOT NULL,
    tier    TEXT   NOT NULL,
    account TEXT   NOT NULL,
    made_by TEXT   NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (host, source, user_id, tier)
);

CREATE TABLE members (
    host            TEXT    NOT NULL,
    organization_id TEXT    NOT NULL,
    account         TEXT    NOT NULL,
    login           TEXT    NOT NULL,
    since           BIGINT  NOT NULL,
    left_at         BIGINT  NOT NULL, -- 0 while a member
    invited         BIGINT  NOT NULL, -- invitations sent since
    invited_at      BIGINT  NOT NULL,
    declined        BOOLEAN NOT NULL,
    PRIMARY KEY (host, organization_id, account)
);

CREATE TABLE ledger (
    host            TEXT   NOT NULL,
    organization_id TEXT   NOT NULL,
    team            TEXT   NOT NULL,
    account         TEXT   NOT NULL,
    origin          TEXT   NOT NULL,
    role            TEXT   NOT NULL,
    mappings        TEXT   NOT NULL, -- JSON
    since           BIGINT NOT NULL,
    entry           BIGINT NOT NULL, -- the audit entry that last changed the row
    PRIMARY KEY (host, organization_id, team, account)
);

CREATE TABLE connected (
    host            TEXT   NOT NULL,
    organization_id TEXT   NOT NULL,
    team            TEXT   NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (host, organization_id, team)
);

-- Protected logins as they were settled at first sight: a login can change hands, an account cannot.
CREATE TABLE protected (
    target  TEXT NOT NULL,
    login   TEXT NOT NULL, -- folded
    account TEXT NOT NULL,
    PRIMARY KEY (target, login)
);

CREATE TABLE absences (
    host            TEXT   NOT NULL,
    organization_id TEXT   NOT NULL,
    team            TEXT   NOT NULL,
    account         TEXT   NOT NULL,
    reads_n         BIGINT NOT NULL,
    PRIMARY KEY (host, organization_id, team, account)
);

CREATE TABLE runs (
    id          TEXT   PRIMARY KEY,
    number      BIGINT NOT NULL,
    target      TEXT   NOT NULL,
    cause       TEXT   NOT NULL, -- schedule, person, event
    requester   TEXT   NOT NULL,
    credential  TEXT   NOT NULL,
    undoes      TEXT   NOT NULL,
    started_at  BIGINT NOT NULL,
    finished_at BIGINT NOT NULL, -- 0 while open
    state       TEXT   NOT NULL,
    report      TEXT   NOT NULL, -- JSON
    reading     BYTEA            -- what it has read of its target; gone when it is finished
);
CREATE UNIQUE INDEX one_open_run ON runs (target) WHERE finished_at = 0;
CREATE INDEX runs_in_order ON runs (target, number);

CREATE TABLE requests (
    id       TEXT   PRIMARY KEY,
    target   TEXT   NOT NULL,
    teams    TEXT   NOT NULL, -- JSON
    account  TEXT   NOT NULL,
    cause    TEXT   NOT NULL,
    asker    TEXT   NOT NULL,
    why      TEXT   NOT NULL,
    asked_at BIGINT NOT NULL,
    run      TEXT   NOT NULL -- that took it; empty while it waits
);
CREATE INDEX requests_waiting ON requests (target, run);

-- The last plan of each target.
CREATE TABLE plans (
    target TEXT   PRIMARY KEY,
    run    TEXT   NOT NULL,
    at     BIGINT NOT NULL,
    digest TEXT   NOT NULL,
    body   BYTEA  NOT NULL -- plan and objections
);

CREATE TABLE waivers (
    id      TEXT   PRIMARY KEY,
    number  BIGINT NOT NULL,
    target  TEXT   NOT NULL,
    made_by TEXT   NOT NULL,
    reason  TEXT   NOT NULL,
    at      BIGINT NOT NULL
);
CREATE TABLE waived (
    waiver     TEXT   NOT NULL REFERENCES waivers (id) ON DELETE CASCADE,
    number     BIGINT NOT NULL,
    team       TEXT   NOT NULL,
    slug       TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    act        TEXT   NOT NULL,
    guards     TEXT   NOT NULL, -- JSON
    settled_at BIGINT NOT NULL, -- 0 while it can be used
    PRIMARY KEY (waiver, number)
);

-- Intents and their writes, as the audit entries tell them, in a form that can be asked.
CREATE TABLE intents (
    id              TEXT   PRIMARY KEY, -- the number of its audit entry
    number          BIGINT NOT NULL,
    run             TEXT   NOT NULL,
    target          TEXT   NOT NULL,
    host            TEXT   NOT NULL,
    organization_id TEXT   NOT NULL,
    team            TEXT   NOT NULL, -- empty until a team that is to be created has an id
    slug            TEXT   NOT NULL,
    sources         TEXT   NOT NULL, -- JSON
    body            TEXT   NOT NULL, -- JSON of audit.Intent
    at              BIGINT NOT NULL,
    closed_at       BIGINT NOT NULL
);
CREATE INDEX intents_open ON intents (target, closed_at);
CREATE INDEX intents_of_run ON intents (run, number);
CREATE TABLE writes (
    intent  TEXT   NOT NULL REFERENCES intents (id) ON DELETE CASCADE,
    number  BIGINT NOT NULL, -- place in the intent
    target  TEXT   NOT NULL,
    act     TEXT   NOT NULL,
    account TEXT   NOT NULL,
    body    TEXT   NOT NULL, -- JSON of audit.Write
    rule    TEXT   NOT NULL, -- of the first reason
    waived  TEXT   NOT NULL, -- JSON
    result  TEXT   NOT NULL, -- empty while it is open
    outcome TEXT   NOT NULL, -- JSON of audit.Outcome
    before  TEXT   NOT NULL, -- JSON of the ledger row that it found, or empty
    at      BIGINT NOT NULL, -- of the outcome
    PRIMARY KEY (intent, number)
);
CREATE INDEX writes_done ON writes (target, at);

-- The audit record. Triggers forbid to change it; the code knows how to prune it.
CREATE TABLE audit_entries (
    seq        BIGINT PRIMARY KEY,
    at         BIGINT NOT NULL,
    kind       TEXT   NOT NULL,
    run        TEXT   NOT NULL,
    target     TEXT   NOT NULL,
    team       TEXT   NOT NULL,
    account    TEXT   NOT NULL,
    act        TEXT   NOT NULL,
    result     TEXT   NOT NULL,
    credential TEXT   NOT NULL,
    cause      TEXT   NOT NULL,
    requester  TEXT   NOT NULL,
    body       TEXT   NOT NULL, -- JSON
    mac        BYTEA  NOT NULL
);
CREATE INDEX audit_by_target ON audit_entries (target, seq);
CREATE INDEX audit_by_team ON audit_entries (team, seq);
CREATE INDEX audit_by_account ON audit_entries (account, seq);
CREATE INDEX audit_by_run ON audit_entries (run, seq);
CREATE INDEX audit_by_time ON audit_entries (at);

-- Where the record begins and ends: one row.
CREATE TABLE audit_head (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    seq      BIGINT NOT NULL, -- of the last entry
    mac      BYTEA  NOT NULL,
    base_seq BIGINT NOT NULL, -- of the last entry that was pruned
    base_mac BYTEA  NOT NULL,
    seal     BYTEA  NOT NULL  -- over the four
);

-- +goose Down
DROP TABLE audit_head;
DROP TABLE audit_entries;
DROP TABLE writes;
DROP TABLE intents;
DROP TABLE waived;
DROP TABLE waivers;
DROP TABLE plans;
DROP TABLE requests;
DROP TABLE runs;
DROP TABLE absences;
DROP TABLE protected;
DROP TABLE connected;
DROP TABLE ledger;
DROP TABLE members;
DROP TABLE statements;
DROP TABLE links;
DROP TABLE disconnects;
DROP TABLE mappings;
DROP TABLE source_groups;
DROP TABLE source_reads;
DROP TABLE sources;
DROP TABLE hints;
DROP TABLE credentials;
DROP TABLE targets;
DROP TABLE counters;
DROP TABLE stores;
