-- name: TidyRequests :execrows
DELETE FROM requests WHERE id IN (
    SELECT q.id FROM requests q JOIN runs r ON r.id = q.run WHERE r.finished_at > 0 AND r.finished_at < @before LIMIT @n);

-- name: TidyProgress :execrows
DELETE FROM progress WHERE run IN (
    SELECT p.run FROM progress p JOIN runs r ON r.id = p.run WHERE r.finished_at > 0 AND r.finished_at < @before LIMIT @n);

-- name: OldViews :many
SELECT DISTINCT source, target FROM source_views WHERE taken_at < @before ORDER BY source, target;

-- name: UsualView :one
-- The one before so many later ones that guards can use.
SELECT taken_at FROM source_views WHERE source = @source AND target = @target AND NOT lossy AND (groups_n > 0 OR users_n > 0)
ORDER BY taken_at DESC LIMIT 1 OFFSET @later;

-- name: TidyViews :execrows
DELETE FROM source_views WHERE source_views.source = @source AND source_views.target = @target AND source_views.taken_at IN (
    SELECT v.taken_at FROM source_views v WHERE v.source = @source AND v.target = @target AND v.taken_at < @before LIMIT @n);
