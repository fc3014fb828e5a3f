-- name: GetLedgerOfAccount :many
SELECT team, account, origin, role, mappings, since, entry FROM ledger
WHERE host = @host AND organization_id = @organization_id AND account = @account;
