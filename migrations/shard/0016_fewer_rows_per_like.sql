-- The notification of a like has the id of the like, so that it is found without an index.
DELETE FROM notifications WHERE kind = 'like' AND NOT EXISTS (
  SELECT 1 FROM likes WHERE likes.post_id = notifications.post_id AND likes.account_id = notifications.actor_id
);
UPDATE OR REPLACE notifications SET id = (
  SELECT likes.id FROM likes WHERE likes.post_id = notifications.post_id AND likes.account_id = notifications.actor_id
) WHERE kind = 'like';
DROP INDEX notifications_once;
CREATE UNIQUE INDEX notifications_once ON notifications (account_id, actor_id) WHERE kind = 'follow';

-- Likes that were withdrawn after they had notified the author, so that the next one does not notify again.
CREATE TABLE withdrawn_likes (
  account_id INTEGER NOT NULL,
  post_id INTEGER NOT NULL,
  PRIMARY KEY (account_id, post_id)
) WITHOUT ROWID;
CREATE INDEX withdrawn_likes_of_post ON withdrawn_likes (post_id);
