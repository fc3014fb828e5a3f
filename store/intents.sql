-- name: PutIntent :exec
INSERT INTO intents (id, number, run, target, host, organization_id, team, slug, sources, body, at, closed_at)
VALUES (@id, @number, @run, @target, @host, @organization_id, @team, @slug, @sources, @body, @at, 0);

-- name: GetIntent :one
SELECT * FROM intents WHERE id = @id;

-- name: NameTeam :exec
UPDATE intents SET team = @team WHERE id = @id;

-- name: CloseIntent :exec
UPDATE intents SET closed_at = @closed_at WHERE id = @id;

-- name: OpenIntents :many
SELECT * FROM intents WHERE target = @target AND closed_at = 0 ORDER BY number;

-- name: IntentsOfRun :many
SELECT * FROM intents WHERE run = @run ORDER BY number;

-- name: WritesOfIntent :many
SELECT * FROM writes WHERE intent = @intent ORDER BY number;

-- name: GetWrite :one
SELECT number, body, result FROM writes WHERE intent = @intent AND act = @act AND account = @account ORDER BY number LIMIT 1;

-- name: PutWrite :exec
INSERT INTO writes (intent, number, target, act, account, body, rule, waived, result, outcome, before, at)
SELECT CAST(@intent AS TEXT), COUNT(*), CAST(@target AS TEXT), CAST(@act AS TEXT), CAST(@account AS TEXT), CAST(@body AS TEXT), '', '[]', '', '', '', 0
FROM writes WHERE intent = @intent;

-- name: PutOutcome :exec
UPDATE writes SET result = @result, outcome = @outcome, before = @before, at = @at WHERE intent = @intent AND number = @number;

-- name: CountOpenWrites :one
SELECT COUNT(*) FROM writes WHERE intent = @intent AND result = '';

-- name: DoneWrites :many
SELECT w.act, w.account, w.rule, w.waived, w.at, i.team, i.slug, i.sources
FROM writes w JOIN intents i ON i.id = w.intent
WHERE w.target = @target AND w.at >= @since AND w.result IN ('done', 'seen') AND w.act <> 'create' ORDER BY w.at, i.number, w.number;

-- name: FirstOpenIntent :one
SELECT CAST(COALESCE(MIN(number), 0) AS BIGINT) FROM intents WHERE closed_at = 0;

-- name: DeleteIntents :exec
DELETE FROM intents WHERE number <= @number AND closed_at > 0;

-- name: WritesOfRun :many
-- In the order in which they were intended, from a place on.
SELECT i.id AS intent, i.target, i.team, i.slug, w.number, w.act, w.account, w.body, w.result, w.outcome, w.at
FROM intents i JOIN writes w ON w.intent = i.id WHERE i.run = @run ORDER BY i.number, w.number LIMIT @n OFFSET @after;

-- name: CountWritesOfRun :many
-- How many writes of a run ended in what way; those that are open have the empty result.
SELECT w.result, COUNT(*) AS n FROM intents i JOIN writes w ON w.intent = i.id WHERE i.run = @run GROUP BY w.result ORDER BY w.result;

-- name: ResultsOfRun :many
SELECT i.team, i.slug, w.act, w.account, w.result FROM intents i JOIN writes w ON w.intent = i.id WHERE i.run = @run ORDER BY i.number, w.number;
