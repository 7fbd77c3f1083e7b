-- The terms that the person accepted; null where none were required.
ALTER TABLE users ADD COLUMN terms_version TEXT;
ALTER TABLE users ADD COLUMN terms_accepted_at INTEGER;

-- Null, or 'required' until a moderator approves the account, or 'refused' until it is deleted.
ALTER TABLE users ADD COLUMN approval TEXT;
CREATE INDEX users_by_approval ON users (approval, id) WHERE approval IS NOT NULL;

-- `code` is a keyed hash. `account_id` is the last registration with the invitation, `used_at` when it was verified.
CREATE TABLE invitations (
  id INTEGER PRIMARY KEY,
  code TEXT NOT NULL UNIQUE,
  inviter_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  account_id INTEGER,
  used_at INTEGER
);
CREATE INDEX invitations_of_inviter ON invitations (inviter_id, id);
CREATE INDEX invitations_of_account ON invitations (account_id) WHERE account_id IS NOT NULL;
CREATE INDEX invitations_by_expiry ON invitations (expires_at);
