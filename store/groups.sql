-- name: PageGroups :many
SELECT id, name, description, folded FROM source_groups
WHERE source = @source AND missing_since = 0 AND folded > @after AND folded < @before
ORDER BY folded LIMIT @n;

-- name: GetGroup :one
SELECT id, name, description, folded FROM source_groups WHERE source = @source AND id = @id AND missing_since = 0;

-- name: GetMapped :many
-- The mappings of a team with the groups they name; one that no run has settled yet is found by what was written for the team. Two arms,
-- because one with OR would read all mappings of the target.
SELECT m.id, m.origin, m.team, m.team_id, m.source, m.group_name, m.group_id, m.role, m.mode, m.echo,
    CAST(COALESCE(g.name, '') AS TEXT) AS listed_name, CAST(COALESCE(g.description, '') AS TEXT) AS listed_description
FROM (
    SELECT s.* FROM mappings s WHERE s.target = @target AND s.team_id = @team_id
    UNION ALL
    SELECT u.* FROM mappings u WHERE u.target = @target AND u.team_id = '' AND u.team IN (CAST(@slug AS TEXT), CAST(@name AS TEXT))
) m LEFT JOIN source_groups g ON g.source = m.source AND g.id = m.group_id
ORDER BY m.number;
