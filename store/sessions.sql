-- name: GetSession :one
SELECT * FROM sessions WHERE hash = @hash;

-- name: PutSession :exec
-- An ended session stays ended, whatever a request that was under way meant to keep.
INSERT INTO sessions (hash, subject, sealed, made_at, expires_at, ended_at) VALUES (@hash, @subject, @sealed, @made_at, @expires_at, 0)
ON CONFLICT (hash) DO UPDATE SET subject = excluded.subject, sealed = excluded.sealed, expires_at = excluded.expires_at
WHERE sessions.ended_at = 0;

-- name: TouchSession :exec
UPDATE sessions SET expires_at = @expires_at WHERE hash = @hash AND ended_at = 0;

-- name: GetSessions :many
SELECT * FROM sessions WHERE expires_at > @now AND ended_at = 0 ORDER BY made_at DESC, hash;

-- name: GetSessionsOf :many
SELECT * FROM sessions WHERE subject = @subject AND expires_at > @now AND ended_at = 0 ORDER BY made_at DESC, hash;

-- name: EndSession :execrows
UPDATE sessions SET ended_at = @now, sealed = @nothing WHERE hash = @hash AND ended_at = 0;

-- name: EndSessionsOf :execrows
UPDATE sessions SET ended_at = @now, sealed = @nothing WHERE subject = @subject AND ended_at = 0 AND expires_at > @now;

-- name: SweepSessions :execrows
DELETE FROM sessions WHERE expires_at <= @before;

-- name: PutSignInLink :exec
INSERT INTO sign_in_links (hash, subject, role, target, made_by, made_at, expires_at, used_at)
VALUES (@hash, @subject, @role, @target, @made_by, @made_at, @expires_at, 0);

-- name: GetSignInLink :one
SELECT * FROM sign_in_links WHERE hash = @hash;

-- name: UseSignInLink :exec
UPDATE sign_in_links SET used_at = @now WHERE hash = @hash;

-- name: SweepSignInLinks :execrows
-- One that was used tells which sessions end with its target.
DELETE FROM sign_in_links WHERE sign_in_links.expires_at <= @before
    AND NOT EXISTS (SELECT 1 FROM sessions s WHERE s.subject = sign_in_links.subject AND s.ended_at = 0 AND sign_in_links.used_at > 0);

-- name: WhoUsedLinksOf :many
SELECT DISTINCT subject FROM sign_in_links WHERE target = @target AND used_at > 0 ORDER BY subject;

-- name: DeleteSignInLinksOf :exec
DELETE FROM sign_in_links WHERE target = @target AND used_at = 0;
