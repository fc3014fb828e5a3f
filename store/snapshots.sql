-- name: GetSource :one
SELECT * FROM sources WHERE name = @name;

-- name: GetTakenAt :one
SELECT taken_at FROM sources WHERE name = @name;

-- name: PutSnapshot :exec
INSERT INTO sources (name, taken_at, body, version) VALUES (@name, @taken_at, @body, 1)
ON CONFLICT (name) DO UPDATE SET taken_at = excluded.taken_at, body = excluded.body, version = sources.version + 1;

-- name: MendSnapshot :execrows
-- Puts another body in the place of one that nobody has changed since.
UPDATE sources SET body = @body, version = version + 1 WHERE name = @name AND version = @version;

-- name: GetSourceState :one
SELECT taken_at, failure, failed_at, version, recorded_at, wanted_at FROM sources WHERE name = @name;

-- name: PutRecorded :exec
UPDATE sources SET recorded_at = @recorded_at WHERE name = @name;

-- name: WantRead :exec
INSERT INTO sources (name, wanted_at) VALUES (@name, @wanted_at)
ON CONFLICT (name) DO UPDATE SET wanted_at = CASE WHEN excluded.wanted_at > sources.wanted_at THEN excluded.wanted_at ELSE sources.wanted_at END;

-- name: WantedSources :many
-- Sources of which somebody waits for a read that has neither succeeded nor failed.
SELECT name FROM sources WHERE wanted_at > taken_at AND wanted_at > failed_at ORDER BY name;

-- name: PutFailure :exec
INSERT INTO sources (name, failure, failed_at) VALUES (@name, @failure, @failed_at)
ON CONFLICT (name) DO UPDATE SET failure = excluded.failure, failed_at = excluded.failed_at;

-- name: PutRead :exec
INSERT INTO source_reads (source, taken_at, groups_n, users_n, linked_n, active_n, sizes_at, sizes)
VALUES (@source, @taken_at, @groups_n, @users_n, @linked_n, @active_n, @sizes_at, @sizes)
ON CONFLICT (source, taken_at) DO UPDATE SET
    groups_n = CASE WHEN excluded.groups_n + excluded.users_n > 0 THEN excluded.groups_n ELSE source_reads.groups_n END,
    users_n  = CASE WHEN excluded.groups_n + excluded.users_n > 0 THEN excluded.users_n ELSE source_reads.users_n END,
    linked_n = CASE WHEN excluded.groups_n + excluded.users_n > 0 THEN excluded.linked_n ELSE source_reads.linked_n END,
    active_n = CASE WHEN excluded.groups_n + excluded.users_n > 0 THEN excluded.active_n ELSE source_reads.active_n END,
    sizes    = CASE WHEN source_reads.sizes_at = 0 THEN excluded.sizes ELSE source_reads.sizes END,
    sizes_at = CASE WHEN source_reads.sizes_at = 0 THEN excluded.sizes_at ELSE source_reads.sizes_at END;

-- name: PutView :exec
INSERT INTO source_views (source, target, taken_at, groups_n, users_n, linked_n, active_n, lossy)
VALUES (@source, @target, @taken_at, @groups_n, @users_n, @linked_n, @active_n, @lossy)
ON CONFLICT (source, target, taken_at) DO UPDATE SET groups_n = excluded.groups_n, users_n = excluded.users_n, linked_n = excluded.linked_n,
    active_n = excluded.active_n, lossy = excluded.lossy;

-- name: LastViews :many
SELECT taken_at, groups_n, users_n, linked_n, active_n FROM source_views
WHERE source = @source AND target = @target AND taken_at < @before AND (groups_n > 0 OR users_n > 0) ORDER BY taken_at DESC LIMIT @n;

-- name: LastReads :many
SELECT taken_at, groups_n, users_n, linked_n, active_n, sizes_at FROM source_reads
WHERE source = @source AND (groups_n > 0 OR users_n > 0) ORDER BY taken_at DESC LIMIT @n;

-- name: ReadBefore :one
SELECT r.taken_at, r.sizes_at FROM source_reads r
WHERE r.source = @source AND r.taken_at <= @moment AND r.sizes_at > 0 AND NOT EXISTS (
    SELECT 1 FROM source_views v WHERE v.source = r.source AND v.taken_at = r.taken_at AND v.target = @target AND v.lossy)
ORDER BY r.taken_at DESC LIMIT 1;

-- name: ReadAfter :one
SELECT r.taken_at, r.sizes_at FROM source_reads r
WHERE r.source = @source AND r.taken_at > @moment AND r.taken_at < @before AND r.sizes_at > 0 AND NOT EXISTS (
    SELECT 1 FROM source_views v WHERE v.source = r.source AND v.taken_at = r.taken_at AND v.target = @target AND v.lossy)
ORDER BY r.taken_at LIMIT 1;

-- name: GetSizes :one
SELECT sizes FROM source_reads WHERE source = @source AND taken_at = @taken_at;

-- name: GetGroups :many
SELECT id, name, first_seen, had_members, missing_since, missing_reads, description FROM source_groups WHERE source = @source;

-- name: PastGroups :many
-- The groups whose past a decision may hang on. Of the others there is nothing to know: they are listed, and were never seen with anybody.
SELECT id, name, had_members, missing_since, missing_reads FROM source_groups
WHERE source = @source AND (had_members OR missing_since <> 0);

-- name: ListSources :many
SELECT name, taken_at, failure, failed_at FROM sources;
