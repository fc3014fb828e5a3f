-- name: GetSource :one
SELECT * FROM sources WHERE name = @name;

-- name: GetTakenAt :one
SELECT taken_at FROM sources WHERE name = @name;

-- name: PutSnapshot :exec
INSERT INTO sources (name, taken_at, body) VALUES (@name, @taken_at, @body)
ON CONFLICT (name) DO UPDATE SET taken_at = excluded.taken_at, body = excluded.body;

-- name: PutFailure :exec
INSERT INTO sources (name, failure, failed_at) VALUES (@name, @failure, @failed_at)
ON CONFLICT (name) DO UPDATE SET failure = excluded.failure, failed_at = excluded.failed_at;

-- name: PutRead :exec
INSERT INTO source_reads (source, taken_at, groups_n, users_n, linked_n, active_n, sizes_at, sizes)
VALUES (@source, @taken_at, @groups_n, @users_n, @linked_n, @active_n, @sizes_at, @sizes)
ON CONFLICT (source, taken_at) DO UPDATE SET groups_n = excluded.groups_n, users_n = excluded.users_n, linked_n = excluded.linked_n,
    active_n = excluded.active_n;

-- name: LastReads :many
SELECT taken_at, groups_n, users_n, linked_n, active_n, sizes_at FROM source_reads
WHERE source = @source AND (groups_n > 0 OR users_n > 0) ORDER BY taken_at DESC LIMIT @n;

-- name: ReadBefore :one
SELECT taken_at, sizes_at FROM source_reads
WHERE source = @source AND taken_at <= @moment AND sizes_at > 0 ORDER BY taken_at DESC LIMIT 1;

-- name: ReadAfter :one
SELECT taken_at, sizes_at FROM source_reads
WHERE source = @source AND taken_at > @moment AND sizes_at > 0 ORDER BY taken_at LIMIT 1;

-- name: GetSizes :one
SELECT sizes FROM source_reads WHERE source = @source AND taken_at = @taken_at;

-- name: GetGroups :many
SELECT id, name, first_seen, had_members, missing_since, missing_reads FROM source_groups WHERE source = @source;

-- name: ListSources :many
SELECT name, taken_at, failure, failed_at FROM sources;
