-- Who is told of what happens: what each destination was told, what is on its way to it, and which of them want to hear nothing any more. And which
-- role a change gives that somebody has accepted.

-- +goose Up

CREATE TABLE told (
    notification TEXT NOT NULL,
    subject      TEXT NOT NULL, -- target:NAME or source:NAME
    body         TEXT NOT NULL, -- JSON of what it was told of that
    PRIMARY KEY (notification, subject)
);

CREATE TABLE deliveries (
    id           TEXT   PRIMARY KEY, -- that the receiver is told too
    number       BIGINT NOT NULL,
    notification TEXT   NOT NULL,
    type         TEXT   NOT NULL,
    body         TEXT   NOT NULL,
    made_at      BIGINT NOT NULL,
    state        TEXT   NOT NULL, -- waiting, delivered, failed
    attempts     BIGINT NOT NULL,
    status       BIGINT NOT NULL, -- of the last answer; 0 where there was none
    trouble      TEXT   NOT NULL, -- why the last attempt counts for nothing
    tried_at     BIGINT NOT NULL,
    next_at      BIGINT NOT NULL
);
CREATE UNIQUE INDEX deliveries_in_order ON deliveries (number);
CREATE INDEX deliveries_of ON deliveries (notification, number);
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'waiting';

CREATE TABLE silences (
    notification TEXT   PRIMARY KEY,
    at           BIGINT NOT NULL,
    why          TEXT   NOT NULL
);

ALTER TABLE waived ADD COLUMN role TEXT NOT NULL DEFAULT ''; -- member or maintainer; empty: of no matter

-- +goose Down
ALTER TABLE waived DROP COLUMN role;
DROP TABLE silences;
DROP TABLE deliveries;
DROP TABLE told;
