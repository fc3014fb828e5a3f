-- name: GetRole :one
SELECT * FROM roles WHERE subject = @subject AND target = @target;

-- name: PutRole :exec
INSERT INTO roles (subject, target, number, role, made_by, made_at) VALUES (@subject, @target, @number, @role, @made_by, @made_at)
ON CONFLICT (subject, target) DO UPDATE SET role = excluded.role, made_by = excluded.made_by, made_at = excluded.made_at;

-- name: DeleteRole :exec
DELETE FROM roles WHERE subject = @subject AND target = @target;

-- name: GetRoles :many
SELECT * FROM roles WHERE number > @after ORDER BY number LIMIT @at_most;

-- name: GetRolesOfTarget :many
SELECT * FROM roles WHERE target = @target ORDER BY number;

-- name: GetRolesOfSubject :many
SELECT * FROM roles WHERE subject = @subject ORDER BY number;
