-- The teams of an organization as they were read last, so that a list of them can be looked at without asking the target; and what runs have
-- asked of their targets.

-- +goose Up

CREATE TABLE teams (
    host            TEXT   NOT NULL,
    organization_id TEXT   NOT NULL,
    id              TEXT   NOT NULL,
    slug            TEXT   NOT NULL,
    name            TEXT   NOT NULL,
    description     TEXT   NOT NULL,
    parent          TEXT   NOT NULL,
    children        TEXT   NOT NULL, -- JSON of team.Ref
    foreign_why     TEXT   NOT NULL,
    members_n       BIGINT NOT NULL,
    members         TEXT   NOT NULL, -- JSON of team.Membership
    read_at         BIGINT NOT NULL, -- of the members; 0 for a team of which only the name is known
    changed_at      BIGINT NOT NULL DEFAULT 0, -- of the last membership that we changed
    PRIMARY KEY (host, organization_id, id)
);

-- When all teams of an organization were listed last.
CREATE TABLE team_lists (
    host            TEXT   NOT NULL,
    organization_id TEXT   NOT NULL,
    at              BIGINT NOT NULL,
    PRIMARY KEY (host, organization_id)
);

-- Calls to the target, and what they cost of its rations.
ALTER TABLE runs ADD COLUMN calls BIGINT NOT NULL DEFAULT 0;
ALTER TABLE runs ADD COLUMN cost BIGINT NOT NULL DEFAULT 0;

-- What the configuration says which organization a target is, as it was seen last; empty: nobody has looked yet.
ALTER TABLE targets ADD COLUMN configured_as TEXT NOT NULL DEFAULT '';

-- A page looks for the links of those whom it shows.
CREATE INDEX links_of_account ON links (host, account);

-- +goose Down
DROP INDEX links_of_account;
ALTER TABLE targets DROP COLUMN configured_as;
ALTER TABLE runs DROP COLUMN cost;
ALTER TABLE runs DROP COLUMN calls;
DROP TABLE team_lists;
DROP TABLE teams;
