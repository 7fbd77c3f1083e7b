-- When the account was hidden because its deletion was requested; null again if that was cancelled.
ALTER TABLE accounts ADD COLUMN deleted_at INTEGER;

-- A copy of the ledger of erasures, which is in R2. If an entry has no row here, this database was restored.
CREATE TABLE erased_accounts (account_id INTEGER PRIMARY KEY, erased_at INTEGER NOT NULL);
