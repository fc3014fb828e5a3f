-- Plans that were made for people to look at, so that every server shows the same one, page by page.

-- +goose Up

CREATE TABLE shown_plans (
    target  TEXT   NOT NULL,
    undoes  TEXT   NOT NULL, -- the run whose undoing it is; empty for the plan of a sync
    at      BIGINT NOT NULL,
    digest  TEXT   NOT NULL,
    made_by TEXT   NOT NULL, -- who wanted to see it
    body    BYTEA  NOT NULL, -- plan, objections, and what else a reader must know
    PRIMARY KEY (target, undoes)
);

-- +goose Down
DROP TABLE shown_plans;
