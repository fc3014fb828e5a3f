-- name: GetTeams :many
SELECT id, slug, name, description, parent, children, foreign_why, members_n, read_at, changed_at FROM teams
WHERE host = @host AND organization_id = @organization_id;

-- name: GetTeam :one
SELECT id, slug, name, description, parent, children, foreign_why, members_n, members, read_at, changed_at FROM teams
WHERE host = @host AND organization_id = @organization_id AND id = @id;

-- name: GetTeamMembers :many
SELECT id, slug, name, description, parent, children, foreign_why, members FROM teams WHERE host = @host AND organization_id = @organization_id;

-- name: TouchTeam :exec
UPDATE teams SET changed_at = @changed_at WHERE host = @host AND organization_id = @organization_id AND id = @id AND changed_at < @changed_at;

-- name: GetTeamList :one
SELECT at FROM team_lists WHERE host = @host AND organization_id = @organization_id;

-- name: PutTeamList :exec
INSERT INTO team_lists (host, organization_id, at) VALUES (@host, @organization_id, @at)
ON CONFLICT (host, organization_id) DO UPDATE SET at = excluded.at;

-- name: WritesOfTeam :many
-- What became of the memberships of a team, or of all teams, since a moment.
SELECT i.team, w.act, w.account, w.body, w.result, w.at FROM writes w JOIN intents i ON i.id = w.intent
WHERE w.target = @target AND w.at >= @since AND w.result IN ('done', 'seen', 'already', 'pending') AND w.act <> 'create'
    AND (CAST(@team AS TEXT) = '' OR i.team = CAST(@team AS TEXT))
ORDER BY w.at, i.number, w.number;

-- name: Activity :many
SELECT CAST(at / 86400000000 AS BIGINT) AS day, act, CAST(CASE WHEN body LIKE '%"rule":"drift: %' THEN 1 ELSE 0 END AS BIGINT) AS drift,
    COUNT(*) AS n
FROM writes WHERE target = @target AND at >= @since AND result IN ('done', 'seen') AND act <> 'create'
GROUP BY 1, 2, 3 ORDER BY 1, 2, 3;
