-- name: GetMappings :many
SELECT * FROM mappings WHERE target = @target ORDER BY number;

-- name: UpdateMapping :exec
UPDATE mappings SET id = @id, team = @team, team_id = @team_id, group_name = @group_name, group_id = @group_id, role = @role, mode = @mode,
    creates = @creates, echo = @echo
WHERE target = @target AND number = @number;

-- name: DeleteMapping :exec
DELETE FROM mappings WHERE target = @target AND number = @number;

-- name: GetDisconnects :many
SELECT * FROM disconnects WHERE target = @target ORDER BY number;

-- name: PutDisconnect :exec
INSERT INTO disconnects (target, number, team, ends_at, made_by, origin, keep)
VALUES (@target, @number, @team, @ends_at, @made_by, @origin, @keep);

-- name: SettleDisconnect :exec
-- One that is still in grace cannot have been carried out: it was made after the plan.
DELETE FROM disconnects WHERE target = @target AND team = @team AND ends_at <= @now;
