-- name: LockHead :one
-- Whoever changes the record holds its head first, so that writers stand in one line on both databases.
UPDATE audit_head SET id = id WHERE id = 1 RETURNING seq, mac, base_seq, base_mac, seal;

-- name: GetHead :one
SELECT seq, mac, base_seq, base_mac, seal FROM audit_head WHERE id = 1;

-- name: PutHead :exec
INSERT INTO audit_head (id, seq, mac, base_seq, base_mac, seal) VALUES (1, @seq, @mac, @base_seq, @base_mac, @seal)
ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, mac = excluded.mac, base_seq = excluded.base_seq, base_mac = excluded.base_mac,
    seal = excluded.seal;

-- name: GetEntry :one
SELECT * FROM audit_entries WHERE seq = @seq;

-- name: LastBefore :one
-- The last of the entries in an unbroken row from the first that are older than a moment.
SELECT CAST(COALESCE(MIN(seq), 0) AS BIGINT) FROM audit_entries WHERE at >= @moment;

-- name: PruneEntries :execrows
DELETE FROM audit_entries WHERE seq <= @seq;
