-- name: GetLedger :many
SELECT team, account, origin, role, mappings, since, entry FROM ledger WHERE host = @host AND organization_id = @organization_id;

-- name: GetLedgerOfTeam :many
SELECT team, account, origin, role, mappings, since, entry FROM ledger
WHERE host = @host AND organization_id = @organization_id AND team = @team;

-- name: GetLedgerRow :one
SELECT origin, role, mappings, since, entry FROM ledger
WHERE host = @host AND organization_id = @organization_id AND team = @team AND account = @account;

-- name: PutLedgerRow :exec
INSERT INTO ledger (host, organization_id, team, account, origin, role, mappings, since, entry)
VALUES (@host, @organization_id, @team, @account, @origin, @role, @mappings, @since, @entry)
ON CONFLICT (host, organization_id, team, account) DO UPDATE SET origin = excluded.origin, role = excluded.role,
    mappings = excluded.mappings, since = excluded.since, entry = excluded.entry;

-- name: DeleteLedgerRow :exec
DELETE FROM ledger WHERE host = @host AND organization_id = @organization_id AND team = @team AND account = @account;

-- name: GetConnected :many
SELECT team, at FROM connected WHERE host = @host AND organization_id = @organization_id;

-- name: PutConnected :exec
INSERT INTO connected (host, organization_id, team, at) VALUES (@host, @organization_id, @team, @at)
ON CONFLICT (host, organization_id, team) DO NOTHING;

-- name: DeleteConnected :exec
DELETE FROM connected WHERE host = @host AND organization_id = @organization_id AND team = @team;

-- name: GetAbsences :many
SELECT team, account, reads_n, read_at FROM absences WHERE host = @host AND organization_id = @organization_id;

-- name: DeleteAbsences :exec
DELETE FROM absences WHERE host = @host AND organization_id = @organization_id;
