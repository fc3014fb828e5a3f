-- name: GetAllConfigured :many
SELECT * FROM configured;

-- name: GetConfiguredSection :many
SELECT * FROM configured WHERE section = @section;

-- name: GetConfigured :one
SELECT * FROM configured WHERE section = @section AND name = @name;

-- name: PutConfigured :exec
INSERT INTO configured (section, name, body, secrets, version, made_by, at) VALUES (@section, @name, @body, @secrets, @version, @made_by, @at)
ON CONFLICT (section, name) DO UPDATE SET body = excluded.body, secrets = excluded.secrets, version = excluded.version,
    made_by = excluded.made_by, at = excluded.at;

-- name: DeleteConfigured :exec
DELETE FROM configured WHERE section = @section AND name = @name;

-- name: GetCounter :one
SELECT last FROM counters WHERE name = @name;
