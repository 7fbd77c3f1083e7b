-- Handles that were given up. Until then, they resolve to the account, and nobody else may register them. `account_id`
-- is null for a deleted account.
CREATE TABLE former_handles (
  handle TEXT PRIMARY KEY,
  account_id INTEGER,
  until INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX former_handles_of_account ON former_handles (account_id);
CREATE INDEX former_handles_by_end ON former_handles (until);

ALTER TABLE users ADD COLUMN handle_changed_at INTEGER;
ALTER TABLE users ADD COLUMN password_changed_at INTEGER;

-- Changes of an address that the owner of the new one has not confirmed yet.
CREATE TABLE address_changes (
  account_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  sealed_address TEXT NOT NULL,
  until INTEGER NOT NULL
);
CREATE INDEX address_changes_by_end ON address_changes (until);

-- Addresses of an account until `left_at`, which their owners may restore until `until`.
CREATE TABLE former_addresses (
  account_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  address TEXT NOT NULL,
  sealed_address TEXT NOT NULL,
  left_at INTEGER NOT NULL,
  until INTEGER NOT NULL,
  PRIMARY KEY (account_id, address)
) WITHOUT ROWID;
CREATE INDEX former_addresses_by_end ON former_addresses (until);

-- The mails that anyone may request for an account: the last one, and those of its current hour.
CREATE TABLE mail_limits (
  account_id INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
  mailed_at INTEGER NOT NULL,
  hour_began INTEGER NOT NULL,
  mails INTEGER NOT NULL
);
