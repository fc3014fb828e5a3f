-- name: GetShownPlan :one
SELECT target, undoes, at, digest, made_by, body FROM shown_plans WHERE target = @target AND undoes = @undoes;

-- name: PutShownPlan :exec
INSERT INTO shown_plans (target, undoes, at, digest, made_by, body) VALUES (@target, @undoes, @at, @digest, @made_by, @body)
ON CONFLICT (target, undoes) DO UPDATE SET at = excluded.at, digest = excluded.digest, made_by = excluded.made_by, body = excluded.body;

-- name: TidyShownPlans :exec
DELETE FROM shown_plans WHERE at < @before;

-- name: GetPlanMark :one
-- What tells a plan from the one before it, without the plan.
SELECT run, at, digest FROM plans WHERE target = @target;

-- name: DeleteShownPlansOf :exec
DELETE FROM shown_plans WHERE target = @target;

-- name: DeletePlanOf :exec
DELETE FROM plans WHERE target = @target;
