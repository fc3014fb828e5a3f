-- name: GetRequests :many
SELECT id, target, teams, account, cause, asker, why, asked_at, due_at FROM requests WHERE target = @target AND run = @run ORDER BY asked_at, id;

-- name: PutRequest :exec
INSERT INTO requests (id, target, teams, account, cause, asker, why, asked_at, due_at, run)
VALUES (@id, @target, @teams, @account, @cause, @asker, @why, @asked_at, @due_at, '');

-- name: TakeRequests :many
-- Those that are due; with wide 0 only those that name teams or an account.
UPDATE requests SET run = @run
WHERE target = @target AND run = '' AND due_at <= @now AND (CAST(@wide AS BIGINT) = 1 OR teams <> '[]' OR account <> '')
RETURNING id;

-- name: TargetsWithWork :many
-- Where a request is due or a run is open, of targets that are not paused.
SELECT w.target FROM (
    SELECT requests.target FROM requests WHERE requests.run = '' AND requests.due_at <= @now
    UNION
    SELECT runs.target FROM runs WHERE runs.finished_at = 0
) w WHERE NOT EXISTS (SELECT 1 FROM targets t WHERE t.name = w.target AND t.paused_at > 0) ORDER BY w.target;

-- name: CountWaiting :one
SELECT COUNT(*) AS n, CAST(COALESCE(MIN(asked_at), 0) AS BIGINT) AS oldest FROM requests WHERE run = '' AND due_at <= @now;

-- name: GetSchedules :many
SELECT target, next_at FROM schedules ORDER BY next_at, target;

-- name: PutSchedule :exec
INSERT INTO schedules (target, next_at) VALUES (@target, @next_at)
ON CONFLICT (target) DO NOTHING;

-- name: MoveSchedule :execrows
-- Of several servers one moves it.
UPDATE schedules SET next_at = @next_at WHERE target = @target AND next_at = @before;

-- name: DeleteSchedule :exec
DELETE FROM schedules WHERE target = @target;
