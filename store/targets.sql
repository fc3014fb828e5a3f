-- name: GetTarget :one
SELECT * FROM targets WHERE name = @name;

-- name: PutPlace :exec
INSERT INTO targets (name, host, organization_id, organization, self) VALUES (@name, @host, @organization_id, @organization, @self)
ON CONFLICT (name) DO UPDATE SET host = excluded.host, organization_id = excluded.organization_id,
    organization = excluded.organization, self = excluded.self;

-- name: PutPause :exec
INSERT INTO targets (name, paused_by, pause_reason, paused_at) VALUES (@name, @paused_by, @pause_reason, @paused_at)
ON CONFLICT (name) DO UPDATE SET paused_by = excluded.paused_by, pause_reason = excluded.pause_reason, paused_at = excluded.paused_at;

-- name: GetHints :many
SELECT name, value FROM hints WHERE target = @target;
