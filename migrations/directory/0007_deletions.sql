-- Accounts that will be erased at `erase_at`, or are being erased since `started_at`. Ids and times only.
CREATE TABLE deletions (
  account_id INTEGER PRIMARY KEY,
  requested_at INTEGER NOT NULL,
  erase_at INTEGER NOT NULL,
  started_at INTEGER,
  progressed_at INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX deletions_by_time ON deletions (erase_at);

-- A copy of the ledger of erasures, which is in R2. If an entry has no row here, this database was restored.
CREATE TABLE erased_accounts (account_id INTEGER PRIMARY KEY, erased_at INTEGER NOT NULL);
