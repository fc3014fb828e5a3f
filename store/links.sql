-- name: GetLinks :many
SELECT * FROM links WHERE host = @host;

-- name: GetLinksOfUser :many
SELECT * FROM links WHERE host = @host AND source = @source AND user_id = @user_id;

-- name: GetStatements :many
SELECT * FROM statements WHERE host = @host;

-- name: PutStatement :exec
INSERT INTO statements (host, source, user_id, tier, account, made_by, made_at)
VALUES (@host, @source, @user_id, @tier, @account, @made_by, @made_at)
ON CONFLICT (host, source, user_id, tier) DO UPDATE SET account = excluded.account, made_by = excluded.made_by, made_at = excluded.made_at;

-- name: DeleteStatement :execrows
DELETE FROM statements WHERE host = @host AND source = @source AND user_id = @user_id AND tier = @tier;

-- name: DeleteLink :exec
-- Takes out a link that rests on what is said no more. One that is revoked stays: it is why somebody leaves.
DELETE FROM links WHERE host = @host AND source = @source AND user_id = @user_id AND tier = @tier AND state <> @revoked;
