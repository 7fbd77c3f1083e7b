-- When the queue retries an event after a failure, so that the sweeper does not send it as well.
ALTER TABLE outbox ADD COLUMN retry_at INTEGER;
