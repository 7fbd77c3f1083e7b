-- The directory has a copy of each suspension, which only the Worker can write: one event for each account that is suspended already.
INSERT INTO outbox (id, type, data)
SELECT coalesce((SELECT max(id) FROM outbox), 0) + row_number() OVER (ORDER BY id), 'account.suspension-to-copy',
  json_object('accountId', CAST(id AS TEXT))
FROM accounts WHERE suspended_at IS NOT NULL;
