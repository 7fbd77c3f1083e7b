-- The hubs that have listeners; presence had a row for each account that was online.
CREATE TABLE hubs (name TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
DROP TABLE presence;
-- For the blocks of an author that have not reached the shard of the other account.
CREATE INDEX outbox_blocks ON outbox (json_extract(data, '$.accountId')) WHERE type = 'account.blocked';
