-- name: GetTarget :one
SELECT * FROM targets WHERE name = @name;

-- name: PutPlace :exec
INSERT INTO targets (name, host, organization_id, organization, self) VALUES (@name, @host, @organization_id, @organization, @self)
ON CONFLICT (name) DO UPDATE SET host = excluded.host, organization_id = excluded.organization_id,
    organization = excluded.organization, self = excluded.self;

-- name: PutConfiguredAs :exec
INSERT INTO targets (name, configured_as) VALUES (@name, @configured_as)
ON CONFLICT (name) DO UPDATE SET configured_as = excluded.configured_as;

-- name: PutPause :exec
INSERT INTO targets (name, paused_by, pause_reason, paused_at) VALUES (@name, @paused_by, @pause_reason, @paused_at)
ON CONFLICT (name) DO UPDATE SET paused_by = excluded.paused_by, pause_reason = excluded.pause_reason, paused_at = excluded.paused_at;

-- name: GetHints :many
SELECT name, value FROM hints WHERE target = @target;
