-- name: GetLease :one
SELECT epoch, holder, beat_at FROM leases WHERE name = @name;

-- name: TakeLease :execrows
INSERT INTO leases (name, epoch, holder, beat_at) VALUES (@name, @epoch, @holder, @now)
ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, beat_at = excluded.beat_at
WHERE leases.epoch = excluded.epoch AND (leases.holder = '' OR leases.beat_at < @silent);

-- name: BeatLease :execrows
UPDATE leases SET beat_at = @now WHERE name = @name AND epoch = @epoch AND holder = @holder;

-- name: EndLease :execrows
UPDATE leases SET holder = '' WHERE name = @name AND epoch = @epoch AND holder = @holder;

-- name: BreakLease :execrows
-- Takes a lease from somebody who is silent.
UPDATE leases SET epoch = epoch + 1, holder = '' WHERE name = @name AND epoch = @epoch AND holder <> '' AND beat_at < @silent;
