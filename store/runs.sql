-- name: GetOpenRun :one
SELECT id, number, target, cause, requester, credential, undoes, started_at, finished_at, state, report
FROM runs WHERE target = @target AND finished_at = 0;

-- name: GetRun :one
SELECT id, number, target, cause, requester, credential, undoes, started_at, finished_at, state, report FROM runs WHERE id = @id;

-- name: OpenRun :execrows
INSERT INTO runs (id, number, target, cause, requester, credential, undoes, started_at, finished_at, state, report)
VALUES (@id, @number, @target, @cause, @requester, @credential, @undoes, @started_at, 0, '', '')
ON CONFLICT DO NOTHING;

-- name: FinishRun :execrows
UPDATE runs SET finished_at = @finished_at, state = @state, report = @report, reading = NULL WHERE id = @id AND finished_at = 0;

-- name: ListRuns :many
SELECT id, number, target, cause, requester, credential, undoes, started_at, finished_at, state, report
FROM runs WHERE target = @target AND number < @before ORDER BY number DESC LIMIT @n;

-- name: ListAllRuns :many
SELECT id, number, target, cause, requester, credential, undoes, started_at, finished_at, state, report
FROM runs WHERE number < @before ORDER BY number DESC LIMIT @n;

-- name: GetRunReading :one
SELECT reading FROM runs WHERE id = @id;

-- name: PutRunReading :execrows
UPDATE runs SET reading = @reading WHERE id = @id AND finished_at = 0;

