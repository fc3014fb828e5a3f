-- name: GetOpenRun :one
SELECT id, number, target, cause, requester, credential, undoes, started_at, finished_at, state, report, cancelled_by, calls, cost
FROM runs WHERE target = @target AND finished_at = 0;

-- name: GetRun :one
SELECT id, number, target, cause, requester, credential, undoes, started_at, finished_at, state, report, cancelled_by, calls, cost FROM runs WHERE id = @id;

-- name: OpenRun :execrows
INSERT INTO runs (id, number, target, cause, requester, credential, undoes, started_at, finished_at, state, report)
VALUES (@id, @number, @target, @cause, @requester, @credential, @undoes, @started_at, 0, '', '')
ON CONFLICT DO NOTHING;

-- name: FinishRun :execrows
UPDATE runs SET finished_at = @finished_at, state = @state, report = @report, reading = NULL WHERE id = @id AND finished_at = 0;

-- name: CountCalls :exec
UPDATE runs SET calls = calls + @calls, cost = cost + @cost WHERE id = @id;

-- name: ListRuns :many
SELECT id, number, target, cause, requester, credential, undoes, started_at, finished_at, state, report, cancelled_by, calls, cost
FROM runs WHERE target = @target AND number < @before ORDER BY number DESC LIMIT @n;

-- name: ListAllRuns :many
SELECT id, number, target, cause, requester, credential, undoes, started_at, finished_at, state, report, cancelled_by, calls, cost
FROM runs WHERE number < @before ORDER BY number DESC LIMIT @n;

-- name: GetRunReading :one
SELECT reading FROM runs WHERE id = @id;

-- name: PutRunReading :execrows
UPDATE runs SET reading = @reading WHERE id = @id AND finished_at = 0;

-- name: HasRead :one
-- Whether a run has read anything of its target: 1 or 0.
SELECT CAST(COUNT(*) AS BIGINT) FROM runs WHERE id = @id AND reading IS NOT NULL;

-- name: CancelRun :execrows
UPDATE runs SET cancelled_by = @cancelled_by WHERE id = @id AND finished_at = 0 AND cancelled_by = '';

-- name: GetSigns :one
-- What a run under way looks at between two writes: how many requests of persons and events wait that name teams or an account.
SELECT r.cancelled_by, r.finished_at, CAST(COALESCE(t.paused_at, 0) AS BIGINT) AS paused_at, CAST(COALESCE(t.paused_by, '') AS TEXT) AS paused_by,
    CAST(COALESCE(t.pause_reason, '') AS TEXT) AS pause_reason,
    (SELECT COUNT(*) FROM requests q WHERE q.target = r.target AND q.run = '' AND q.due_at <= @now AND q.cause <> 'schedule'
        AND (q.teams <> '[]' OR q.account <> '')) AS waiting
FROM runs r LEFT JOIN targets t ON t.name = r.target WHERE r.id = @id;

-- name: PutProgress :exec
INSERT INTO progress (run, phase, planned, done, failed, ends_at, waits_for, waits_until, at)
VALUES (@run, @phase, @planned, @done, @failed, @ends_at, @waits_for, @waits_until, @at)
ON CONFLICT (run) DO UPDATE SET phase = excluded.phase, planned = excluded.planned, done = excluded.done, failed = excluded.failed,
    ends_at = excluded.ends_at, waits_for = excluded.waits_for, waits_until = excluded.waits_until, at = excluded.at;

-- name: GetProgress :one
SELECT * FROM progress WHERE run = @run;

-- name: OpenRunsInPhase :many
SELECT r.target FROM runs r JOIN progress p ON p.run = r.id WHERE r.finished_at = 0 AND p.phase = @phase ORDER BY r.target;

-- name: FailuresInARow :one
-- How many runs of a target have failed since the last one that did not.
SELECT COUNT(*) FROM runs f WHERE f.target = @target AND f.state = 'failed'
    AND f.number > (SELECT COALESCE(MAX(o.number), 0) FROM runs o WHERE o.target = f.target AND o.finished_at > 0 AND o.state <> 'failed');

-- name: PutReading :exec
INSERT INTO readings (target, at, body) VALUES (@target, @at, @body)
ON CONFLICT (target) DO UPDATE SET at = excluded.at, body = excluded.body;

-- name: GetReadingAt :one
SELECT at FROM readings WHERE target = @target;

-- name: GetReading :one
SELECT at, body FROM readings WHERE target = @target;

-- name: DeleteReading :exec
DELETE FROM readings WHERE target = @target;

-- name: UndoneBy :one
-- The last run that took a run back.
SELECT CAST(COALESCE(MAX(number), 0) AS BIGINT) FROM runs WHERE target = @target AND undoes = @undoes AND finished_at > 0;

-- name: RunOfNumber :one
SELECT id FROM runs WHERE number = @number;

-- name: RequestsOfRun :many
SELECT id, asker, why, cause, asked_at FROM requests WHERE run = @run ORDER BY asked_at, id;
