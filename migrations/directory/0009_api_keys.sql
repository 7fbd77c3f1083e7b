-- Keys with which programs of a person use the API. `hash` is the SHA-256 of the key, in hex; `scopes` has spaces in between.
CREATE TABLE api_keys (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
);
CREATE INDEX api_keys_of_account ON api_keys (account_id, id);
CREATE INDEX api_keys_by_expiry ON api_keys (expires_at);

-- API keys that were created at or before this time are revoked, epoch ms.
ALTER TABLE users ADD COLUMN keys_void_before INTEGER NOT NULL DEFAULT 0;
