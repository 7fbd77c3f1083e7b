-- The directory: what must be unique in the world, logins, and its own events. See docs/storage.md.
CREATE TABLE users (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL DEFAULT '',
  email TEXT NOT NULL UNIQUE,
  email_verified INTEGER NOT NULL DEFAULT 0,
  image TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  sealed_address TEXT NOT NULL,
  role TEXT NOT NULL DEFAULT 'user',
  tokens_void_before INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE handles (
  handle TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL UNIQUE,
  address TEXT NOT NULL,
  reserved_until INTEGER,
  mailed_at INTEGER
) WITHOUT ROWID;
CREATE INDEX handles_reserved_by_address ON handles (address) WHERE reserved_until IS NOT NULL;
CREATE INDEX handles_reserved_until ON handles (reserved_until) WHERE reserved_until IS NOT NULL;

CREATE TABLE credentials (
  id TEXT PRIMARY KEY,
  account_id TEXT NOT NULL,
  provider_id TEXT NOT NULL,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  password TEXT,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL
);
CREATE INDEX credentials_of_user ON credentials (user_id);
CREATE UNIQUE INDEX credentials_at_provider ON credentials (provider_id, account_id);

CREATE TABLE sessions (
  id TEXT PRIMARY KEY,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  token TEXT NOT NULL UNIQUE,
  expires_at INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  updated_at INTEGER NOT NULL,
  ip_address TEXT,
  user_agent TEXT
);
CREATE INDEX sessions_of_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

CREATE TABLE jwks (
  id TEXT PRIMARY KEY,
  public_key TEXT NOT NULL,
  private_key TEXT NOT NULL,
  alg TEXT,
  crv TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER
);

-- The tables of better-auth's OAuth provider.
CREATE TABLE oauth_clients (
  id TEXT PRIMARY KEY,
  client_id TEXT NOT NULL UNIQUE,
  name TEXT,
  disabled INTEGER NOT NULL DEFAULT 0,
  scopes TEXT,
  redirect_uris TEXT NOT NULL,
  grant_types TEXT,
  token_endpoint_auth_method TEXT,
  application_type TEXT,
  created_at INTEGER,
  updated_at INTEGER
);

CREATE TABLE oauth_resources (
  id TEXT PRIMARY KEY,
  identifier TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  disabled INTEGER NOT NULL DEFAULT 0,
  created_at INTEGER,
  updated_at INTEGER
);

CREATE TABLE oauth_client_resources (
  id TEXT PRIMARY KEY,
  client_id TEXT NOT NULL REFERENCES oauth_clients (client_id) ON DELETE CASCADE,
  resource_id TEXT NOT NULL REFERENCES oauth_resources (identifier) ON DELETE CASCADE,
  created_at INTEGER,
  UNIQUE (client_id, resource_id)
);

CREATE TABLE refresh_tokens (
  id TEXT PRIMARY KEY,
  token TEXT NOT NULL UNIQUE,
  client_id TEXT NOT NULL REFERENCES oauth_clients (client_id) ON DELETE CASCADE,
  session_id TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
  user_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  scopes TEXT NOT NULL,
  resources TEXT,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked INTEGER,
  rotated_at INTEGER,
  rotation_replay_response TEXT,
  rotation_replay_expires_at INTEGER
);
CREATE INDEX refresh_tokens_of_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_of_user ON refresh_tokens (user_id);

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  trace TEXT NOT NULL DEFAULT '{}',
  pending TEXT
);

CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY,
  queue TEXT NOT NULL,
  body TEXT NOT NULL,
  failed_at INTEGER NOT NULL,
  replay INTEGER NOT NULL DEFAULT 0,
  pending TEXT
);
CREATE INDEX dead_letters_by_age ON dead_letters (failed_at);
