-- A like or a follow that is taken back and given again is told once: 50 a minute could be made of it.
DELETE FROM notifications WHERE (account_id, id) IN (
  SELECT account_id, id FROM (
    SELECT account_id, id, row_number() OVER (PARTITION BY account_id, actor_id, kind, post_id ORDER BY id) AS nth
    FROM notifications WHERE kind IN ('follow', 'like')
  ) WHERE nth > 1
);
CREATE UNIQUE INDEX notifications_told ON notifications (account_id, actor_id, kind, ifnull(post_id, 0))
WHERE kind IN ('follow', 'like');
