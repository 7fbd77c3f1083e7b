-- A like or a follow that is taken back and given again is told once: 50 a minute could be made of it.
DELETE FROM notifications WHERE kind IN ('follow', 'like') AND (account_id, id) NOT IN (
  SELECT account_id, min(id) FROM notifications WHERE kind IN ('follow', 'like') GROUP BY account_id, actor_id, kind, post_id
);
CREATE UNIQUE INDEX notifications_told ON notifications (account_id, actor_id, kind, ifnull(post_id, 0))
WHERE kind IN ('follow', 'like');
