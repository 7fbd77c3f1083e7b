-- Whether an account is suspended is asked of its shard alone. Before the first release; later migrations only add.
ALTER TABLE users DROP COLUMN suspended_at;
