-- name: PutToken :exec
INSERT INTO tokens (number, hash, name, target, role, made_by, made_at, expires_at, used_at, revoked_by, revoked_at)
VALUES (@number, @hash, @name, @target, @role, @made_by, @made_at, @expires_at, 0, '', 0);

-- name: GetTokenByHash :one
SELECT * FROM tokens WHERE hash = @hash;

-- name: GetToken :one
SELECT * FROM tokens WHERE number = @number;

-- name: GetTokens :many
SELECT * FROM tokens WHERE number < @before ORDER BY number DESC LIMIT @at_most;

-- name: GetTokensOf :many
SELECT * FROM tokens WHERE target = @target AND number < @before ORDER BY number DESC LIMIT @at_most;

-- name: GetStandingTokensOf :many
SELECT * FROM tokens WHERE target = @target AND revoked_at = 0 ORDER BY number;

-- name: TouchToken :exec
UPDATE tokens SET used_at = @now WHERE number = @number AND used_at <= @unless_since;

-- name: RevokeToken :exec
UPDATE tokens SET revoked_by = @revoked_by, revoked_at = @revoked_at WHERE number = @number;
