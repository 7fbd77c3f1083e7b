-- Apps of other developers, what people allowed them, and their authorization codes. See docs/storage.md.
CREATE TABLE apps (
  id INTEGER PRIMARY KEY,
  owner_id INTEGER,
  name TEXT NOT NULL,
  website TEXT,
  description TEXT NOT NULL,
  redirect_uris TEXT NOT NULL,
  secret TEXT,
  created_at INTEGER NOT NULL
);
CREATE INDEX apps_of_owner ON apps (owner_id);

CREATE TABLE app_grants (
  account_id INTEGER NOT NULL,
  app_id INTEGER NOT NULL,
  scopes TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, app_id)
) WITHOUT ROWID;
CREATE INDEX grants_of_app ON app_grants (app_id);

CREATE TABLE app_codes (
  code TEXT PRIMARY KEY,
  app_id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  redirect_uri TEXT NOT NULL,
  scopes TEXT NOT NULL,
  challenge TEXT NOT NULL,
  nonce TEXT,
  auth_time INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  session_id TEXT
) WITHOUT ROWID;
CREATE INDEX app_codes_by_age ON app_codes (created_at);
CREATE INDEX app_codes_of_account ON app_codes (account_id, app_id);

-- A login of an app has the app and its scopes; its tokens have the time at which the person entered the password.
ALTER TABLE sessions ADD COLUMN app_id INTEGER;
ALTER TABLE sessions ADD COLUMN scopes TEXT;
CREATE INDEX sessions_of_app ON sessions (app_id) WHERE app_id IS NOT NULL;
ALTER TABLE refresh_tokens ADD COLUMN auth_time INTEGER;
