-- Counts leave out the members of a list that are hidden. See ADR 26.
ALTER TABLE follows ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
ALTER TABLE followers ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
ALTER TABLE likes ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;
ALTER TABLE thread_index ADD COLUMN hidden INTEGER NOT NULL DEFAULT 0;

-- Only the Worker can write the lists on other shards: one event for each account that is suspended already.
INSERT INTO outbox (id, type, data)
SELECT coalesce((SELECT max(id) FROM outbox), 0) + row_number() OVER (ORDER BY id), 'account.hidden',
  json_object('accountId', CAST(id AS TEXT))
FROM accounts WHERE suspended_at IS NOT NULL;
