-- Notifications of likes are listed by post, those of follows by day (UTC): `group_id` is the post, or the first id of the day.
ALTER TABLE notifications ADD COLUMN group_id INTEGER;
UPDATE notifications SET group_id = iif(kind = 'like', post_id, id - id % 283115520000) WHERE kind IN ('like', 'follow');
CREATE INDEX notifications_of_groups ON notifications (account_id, kind, group_id, id, actor_id, arrived_at)
WHERE group_id IS NOT NULL;
