-- name: GetPlan :one
SELECT target, run, at, digest, body FROM plans WHERE target = @target;

-- name: PutPlan :exec
INSERT INTO plans (target, run, at, digest, body) VALUES (@target, @run, @at, @digest, @body)
ON CONFLICT (target) DO UPDATE SET run = excluded.run, at = excluded.at, digest = excluded.digest, body = excluded.body;
