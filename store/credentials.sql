-- name: PutCredential :exec
INSERT INTO credentials (place, sealed, at) VALUES (@place, @sealed, @at)
ON CONFLICT (place) DO UPDATE SET sealed = excluded.sealed, at = excluded.at;

-- name: GetCredential :one
SELECT sealed FROM credentials WHERE place = @place;

-- name: DeleteCredential :execrows
DELETE FROM credentials WHERE place = @place;
