-- Mails about an account that are not sent yet. `sealed_to` is null for the current address of the account.
CREATE TABLE mails (
  id TEXT PRIMARY KEY,
  account_id INTEGER,
  kind TEXT NOT NULL,
  sealed_to TEXT,
  detail TEXT,
  created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX mails_by_age ON mails (created_at);

-- When the person last entered the credentials of the login again; null if not since it began.
ALTER TABLE sessions ADD COLUMN confirmed_at INTEGER;
