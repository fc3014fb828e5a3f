-- Who may do what, and what is configured here instead of in the file.

-- +goose Up

-- Musterline's own tokens. Of the text only the SHA-256 is here.
CREATE TABLE tokens (
    number     BIGINT PRIMARY KEY,
    hash       BYTEA  NOT NULL,
    name       TEXT   NOT NULL,
    target     TEXT   NOT NULL, -- empty: all
    role       TEXT   NOT NULL,
    made_by    TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL, -- 0: never
    used_at    BIGINT NOT NULL, -- to the minute
    revoked_by TEXT   NOT NULL,
    revoked_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX tokens_by_hash ON tokens (hash);

-- One role for a subject on a target, or on all.
CREATE TABLE roles (
    subject TEXT   NOT NULL,
    target  TEXT   NOT NULL, -- empty: all
    number  BIGINT NOT NULL,
    role    TEXT   NOT NULL,
    made_by TEXT   NOT NULL,
    made_at BIGINT NOT NULL,
    PRIMARY KEY (subject, target)
);
CREATE UNIQUE INDEX roles_in_order ON roles (number);

CREATE TABLE sessions (
    hash       BYTEA  PRIMARY KEY, -- SHA-256 of the token in the cookie
    subject    TEXT   NOT NULL,
    sealed     BYTEA  NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    ended_at   BIGINT NOT NULL -- 0 while it stands; an ended row stays until its expiry, so that a request under way cannot begin it anew
);
CREATE INDEX sessions_of_subject ON sessions (subject, made_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);

CREATE TABLE sign_in_links (
    hash       BYTEA  PRIMARY KEY,
    subject    TEXT   NOT NULL,
    role       TEXT   NOT NULL,
    target     TEXT   NOT NULL, -- empty: all
    made_by    TEXT   NOT NULL,
    made_at    BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    used_at    BIGINT NOT NULL
);
CREATE INDEX sign_in_links_by_end ON sign_in_links (expires_at);

-- What an administrator configures in the console or by the API. Secrets are credentials of the place of each.
CREATE TABLE configured (
    section TEXT   NOT NULL,
    name    TEXT   NOT NULL,
    body    TEXT   NOT NULL, -- JSON
    secrets TEXT   NOT NULL, -- JSON: their names
    version BIGINT NOT NULL, -- never the same for two states of a row, even of one that was deleted in between
    made_by TEXT   NOT NULL,
    at      BIGINT NOT NULL,
    PRIMARY KEY (section, name)
);

CREATE INDEX mappings_of_team ON mappings (target, team_id, number);

-- What a page of the audit record asks for.
CREATE INDEX audit_by_kind ON audit_entries (kind, seq);
CREATE INDEX audit_by_requester ON audit_entries (requester, seq);
CREATE INDEX intents_by_slug ON intents (slug, team);

-- +goose Down
DROP INDEX intents_by_slug;
DROP INDEX audit_by_requester;
DROP INDEX audit_by_kind;
DROP INDEX mappings_of_team;
DROP TABLE configured;
DROP TABLE sign_in_links;
DROP TABLE sessions;
DROP TABLE roles;
DROP TABLE tokens;
