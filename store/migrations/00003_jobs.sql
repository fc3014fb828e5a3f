-- What a server needs that works by itself: requests that are due later, runs that are followed and cancelled, sources that are read once for
-- all targets, and what the last run of a target has read.

-- +goose Up

ALTER TABLE requests ADD COLUMN due_at BIGINT NOT NULL DEFAULT 0; -- no run takes it before; 0: at once
CREATE INDEX requests_due ON requests (due_at, target) WHERE run = '';

ALTER TABLE runs ADD COLUMN cancelled_by TEXT NOT NULL DEFAULT '';

-- How far a run is, for a page that follows it.
CREATE TABLE progress (
    run         TEXT   PRIMARY KEY,
    phase       TEXT   NOT NULL,
    planned     BIGINT NOT NULL, -- writes, in all slices
    done        BIGINT NOT NULL,
    failed      BIGINT NOT NULL,
    ends_at     BIGINT NOT NULL, -- an estimate; 0 where there is none
    waits_for   TEXT   NOT NULL,
    waits_until BIGINT NOT NULL,
    at          BIGINT NOT NULL  -- the last sign of life
);

-- What the last finished run of a target has read of it, so that one for a few teams need not read the whole again.
CREATE TABLE readings (
    target TEXT   PRIMARY KEY,
    at     BIGINT NOT NULL,
    body   BYTEA  NOT NULL
);

-- When the next sync of a target is due.
CREATE TABLE schedules (
    target  TEXT   PRIMARY KEY,
    next_at BIGINT NOT NULL
);

ALTER TABLE sources ADD COLUMN version     BIGINT NOT NULL DEFAULT 0; -- of body: another for each that was kept
ALTER TABLE sources ADD COLUMN recorded_at BIGINT NOT NULL DEFAULT 0; -- the last read of which source_groups tells
ALTER TABLE sources ADD COLUMN wanted_at   BIGINT NOT NULL DEFAULT 0; -- somebody waits for a read that began no earlier
UPDATE sources SET recorded_at = taken_at;

-- What each target's run has made of a complete read. The same read looks other to another target, which links other users.
CREATE TABLE source_views (
    source   TEXT    NOT NULL,
    target   TEXT    NOT NULL,
    taken_at BIGINT  NOT NULL,
    groups_n BIGINT  NOT NULL, -- with users_n 0: the read looked strange, and is no part of what is usual
    users_n  BIGINT  NOT NULL,
    linked_n BIGINT  NOT NULL,
    active_n BIGINT  NOT NULL,
    lossy    BOOLEAN NOT NULL, -- its sizes are nothing to compare with
    PRIMARY KEY (source, target, taken_at)
);

-- Who is at a work that only one may be at, and when they last said so. The epoch counts how often it was taken from somebody silent.
CREATE TABLE leases (
    name    TEXT   PRIMARY KEY,
    epoch   BIGINT NOT NULL,
    holder  TEXT   NOT NULL, -- empty: nobody
    beat_at BIGINT NOT NULL
);

ALTER TABLE absences ADD COLUMN read_at BIGINT NOT NULL DEFAULT 0; -- the read that was counted last

-- +goose Down
ALTER TABLE absences DROP COLUMN read_at;
DROP TABLE leases;
DROP TABLE source_views;
ALTER TABLE sources DROP COLUMN wanted_at;
ALTER TABLE sources DROP COLUMN recorded_at;
ALTER TABLE sources DROP COLUMN version;
DROP TABLE schedules;
DROP TABLE readings;
DROP TABLE progress;
ALTER TABLE runs DROP COLUMN cancelled_by;
DROP INDEX requests_due;
ALTER TABLE requests DROP COLUMN due_at;
