-- name: GetRequests :many
SELECT id, target, teams, account, cause, asker, why, asked_at FROM requests WHERE target = @target AND run = @run ORDER BY asked_at, id;

-- name: PutRequest :exec
INSERT INTO requests (id, target, teams, account, cause, asker, why, asked_at, run)
VALUES (@id, @target, @teams, @account, @cause, @asker, @why, @asked_at, '');

-- name: TakeRequests :exec
UPDATE requests SET run = @run WHERE target = @target AND run = '';

