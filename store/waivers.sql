-- name: PutWaiver :exec
INSERT INTO waivers (id, number, target, made_by, reason, at) VALUES (@id, @number, @target, @made_by, @reason, @at);

-- name: GetWaivers :many
SELECT w.id, w.target, w.made_by, w.reason, w.at, c.team, c.slug, c.account, c.act, c.role, c.guards, c.settled_at, c.number
FROM waivers w JOIN waived c ON c.waiver = w.id
WHERE w.target = @target AND w.at >= @since AND c.settled_at <= @settled ORDER BY w.number, c.number;

-- name: SettleWaived :exec
UPDATE waived SET settled_at = @settled_at WHERE waiver = @waiver AND number = @number;
