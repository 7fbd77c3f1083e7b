-- Authenticator apps (TOTP, RFC 6238). The secret is encrypted with the key of the account; `last_step` is the number of
-- the 30 seconds whose code was used last, so that a code works once.
CREATE TABLE totp_factors (
  account_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  sealed_secret TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  confirmed_at INTEGER,
  last_step INTEGER NOT NULL DEFAULT 0
);

-- Unused recovery codes, as keyed hashes.
CREATE TABLE recovery_codes (
  account_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  code TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, code)
) WITHOUT ROWID;

-- Passkeys (WebAuthn). `credential_id` and `public_key` (COSE) are base64url.
CREATE TABLE passkeys (
  id TEXT PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  credential_id TEXT NOT NULL UNIQUE,
  public_key TEXT NOT NULL,
  sign_count INTEGER NOT NULL,
  sealed_name TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  last_used_at INTEGER
) WITHOUT ROWID;
CREATE INDEX passkeys_of_account ON passkeys (account_id, created_at);

-- The challenges that were used, until they expire: each works once.
CREATE TABLE used_challenges (
  id TEXT PRIMARY KEY,
  until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX used_challenges_by_end ON used_challenges (until);

-- Whether the password is only long enough together with a second factor.
ALTER TABLE users ADD COLUMN has_short_password INTEGER NOT NULL DEFAULT 0;
