-- A mention that an edit adds is found by its post, however long after the post it came. Only the oldest one stays.
DELETE FROM notifications
WHERE kind = 'mention' AND EXISTS (
  SELECT 1 FROM notifications other
  WHERE other.account_id = notifications.account_id AND other.post_id = notifications.post_id
    AND other.kind IN ('comment', 'mention') AND other.id < notifications.id
);
CREATE UNIQUE INDEX notifications_of_posts ON notifications (account_id, post_id) WHERE kind IN ('comment', 'mention');
