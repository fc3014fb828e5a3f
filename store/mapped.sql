-- name: GetTeamMappings :many
SELECT * FROM mappings WHERE target = @target AND team_id = @team_id ORDER BY number;
