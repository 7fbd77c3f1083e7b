-- The inbox of each account. Bodies are in the `Conversation` objects; `preview` is sealed with the key of the account.
CREATE TABLE conversations (
  account_id INTEGER NOT NULL,
  conversation_id TEXT NOT NULL,
  other_id INTEGER,
  state TEXT NOT NULL,
  ended INTEGER NOT NULL,
  position INTEGER,
  last_seq INTEGER NOT NULL,
  last_at INTEGER NOT NULL,
  last_author_id INTEGER,
  preview TEXT,
  read_seq INTEGER NOT NULL,
  version INTEGER NOT NULL,
  PRIMARY KEY (account_id, conversation_id)
) WITHOUT ROWID;
CREATE INDEX conversations_by_position ON conversations (account_id, state, position);
