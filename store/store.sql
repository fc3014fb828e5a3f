-- name: GetFingerprint :one
SELECT fingerprint FROM stores WHERE id = 1;

-- name: PutFingerprint :exec
INSERT INTO stores (id, fingerprint) VALUES (1, @fingerprint) ON CONFLICT (id) DO NOTHING;

-- name: Count :one
-- Takes the next n numbers of a counter and returns the last of them.
INSERT INTO counters (name, last) VALUES (@name, @n)
ON CONFLICT (name) DO UPDATE SET last = counters.last + excluded.last
RETURNING last;
