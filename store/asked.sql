-- name: GetRequest :one
SELECT id, target, teams, account, cause, asker, why, asked_at, due_at, run FROM requests WHERE id = @id;
