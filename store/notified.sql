-- name: GetTold :many
SELECT * FROM told;

-- name: PutTold :execrows
-- Nothing is written when somebody else has written since.
INSERT INTO told (notification, subject, body) VALUES (@notification, @subject, @body)
ON CONFLICT (notification, subject) DO UPDATE SET body = excluded.body WHERE told.body = @before;

-- name: DeleteTold :exec
DELETE FROM told WHERE notification = @notification;

-- name: MakeDelivery :exec
INSERT INTO deliveries (id, number, notification, type, body, made_at, state, attempts, status, trouble, tried_at, next_at)
VALUES (@id, @number, @notification, @type, @body, @made_at, 'waiting', 0, 0, '', 0, @made_at);

-- name: GetDelivery :one
SELECT * FROM deliveries WHERE id = @id;

-- name: ListDeliveries :many
SELECT * FROM deliveries WHERE (notification = @notification OR CAST(@every_one AS BIGINT) = 1) AND number < @before ORDER BY number DESC LIMIT @n;

-- name: DueDeliveries :many
SELECT id FROM deliveries WHERE state = 'waiting' AND next_at <= @now ORDER BY next_at LIMIT 200;

-- name: LastDeliveries :many
-- The last of each notification.
SELECT d.* FROM deliveries d WHERE d.number IN (SELECT MAX(m.number) FROM deliveries m GROUP BY m.notification);

-- name: WhoWaits :many
SELECT DISTINCT notification FROM deliveries WHERE state = 'waiting';

-- name: TryDelivery :execrows
UPDATE deliveries SET state = @state, attempts = @attempts, status = @status, trouble = @trouble, tried_at = @tried_at, next_at = @next_at
WHERE id = @id AND state = 'waiting';

-- name: FailDeliveries :exec
UPDATE deliveries SET state = 'failed', trouble = @trouble WHERE notification = @notification AND state = 'waiting';

-- name: RetryDelivery :execrows
UPDATE deliveries SET state = 'waiting', attempts = 0, next_at = @now WHERE id = @id AND state <> 'delivered';

-- name: TidyDeliveries :execrows
DELETE FROM deliveries WHERE id IN (SELECT d.id FROM deliveries d WHERE d.made_at < @before AND d.state <> 'waiting' LIMIT @n);

-- name: GetSilences :many
SELECT * FROM silences;

-- name: PutSilence :execrows
INSERT INTO silences (notification, at, why) VALUES (@notification, @at, @why) ON CONFLICT DO NOTHING;

-- name: DeleteSilence :execrows
DELETE FROM silences WHERE notification = @notification;

-- name: GetEnded :many
-- Runs of a target that have ended after one of a number, the newest first.
SELECT id, number, target, state, report, finished_at FROM runs WHERE target = @target AND number > @after AND finished_at > 0 ORDER BY number DESC LIMIT @n;
