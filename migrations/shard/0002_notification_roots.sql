-- The post that a comment is under, known with the notification, so that both are asked for in one wave.
ALTER TABLE notifications ADD COLUMN root_id INTEGER;
