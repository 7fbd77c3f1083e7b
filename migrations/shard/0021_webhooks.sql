-- On the shard of the owner. Events of people read it by account, so it begins with the account.
CREATE TABLE webhook_endpoints (
  account_id INTEGER NOT NULL,
  id INTEGER NOT NULL,
  url TEXT NOT NULL,
  description TEXT NOT NULL,
  events TEXT NOT NULL,
  state TEXT NOT NULL,
  sealed_secret TEXT NOT NULL,
  former_secrets TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, id)
) WITHOUT ROWID;
