-- The newest entry of each chain of the audit log, in another database than the log: removing the newest entries is found.
CREATE TABLE audit_heads (
  chain INTEGER PRIMARY KEY,
  seq INTEGER NOT NULL,
  hash TEXT NOT NULL
);
