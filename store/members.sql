-- name: GetMembers :many
SELECT account, login, since, left_at, invited, invited_at, declined FROM members WHERE host = @host AND organization_id = @organization_id;

-- name: GetFormer :many
SELECT account, login, left_at, invited, invited_at, declined FROM members
WHERE host = @host AND organization_id = @organization_id AND left_at > 0;

-- name: CountInvitation :exec
UPDATE members SET invited = invited + 1, invited_at = @invited_at
WHERE host = @host AND organization_id = @organization_id AND account = @account AND left_at > 0;

-- name: DeclineInvitation :exec
UPDATE members SET declined = @declined
WHERE host = @host AND organization_id = @organization_id AND account = @account AND left_at > 0;

-- name: GetProtected :many
SELECT login, account FROM protected WHERE target = @target;

-- name: DeleteProtected :exec
DELETE FROM protected WHERE target = @target;
