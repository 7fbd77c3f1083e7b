-- Exports of a person's data. The archives are in R2, and both expire.
CREATE TABLE exports (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  status TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  ready_at INTEGER,
  expires_at INTEGER,
  bytes INTEGER
);
CREATE INDEX exports_of_account ON exports (account_id, created_at);
CREATE INDEX exports_by_status ON exports (status, created_at);
