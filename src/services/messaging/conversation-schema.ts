import { outboxSchema } from '../../platform/objects/object-outbox.ts'
import { groupSchema } from './group-rows.ts'

const conversation = `
  CREATE TABLE conversation (id TEXT PRIMARY KEY, last_seq INTEGER, version INTEGER) WITHOUT ROWID;
  CREATE TABLE members (account_id INTEGER PRIMARY KEY, state TEXT, read_seq INTEGER, sealed_key TEXT);
  CREATE TABLE messages (seq INTEGER PRIMARY KEY, author_id INTEGER, client_id TEXT, at INTEGER, body TEXT);
  CREATE UNIQUE INDEX messages_once ON messages (author_id, client_id) WHERE author_id IS NOT NULL;
  CREATE TABLE blocks (account_id INTEGER PRIMARY KEY, event_id INTEGER, is_blocking INTEGER);`
const currentBlocksOnly = `
  DELETE FROM blocks WHERE is_blocking = 0;
  ALTER TABLE blocks DROP COLUMN event_id;
  ALTER TABLE blocks DROP COLUMN is_blocking;
  ALTER TABLE members ADD COLUMN has_entered INTEGER NOT NULL DEFAULT 1;
  ALTER TABLE members ADD COLUMN told TEXT NOT NULL DEFAULT '0';`
const changesOfMessages = `
  ALTER TABLE messages ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE messages ADD COLUMN edits INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE messages ADD COLUMN edited_at INTEGER;
  ALTER TABLE messages ADD COLUMN is_deleted INTEGER NOT NULL DEFAULT 0;
  UPDATE messages SET revision = seq;
  CREATE INDEX messages_by_revision ON messages (revision);
  CREATE TABLE edits (seq INTEGER, number INTEGER, at INTEGER, body TEXT, PRIMARY KEY (seq, number)) WITHOUT ROWID;
  CREATE TABLE hidden (account_id INTEGER, seq INTEGER, revision INTEGER, PRIMARY KEY (account_id, seq)) WITHOUT ROWID;
  CREATE INDEX hidden_by_revision ON hidden (account_id, revision);`

/** For `migrateObject`: only append. */
export const conversationSteps = [conversation + outboxSchema, currentBlocksOnly, changesOfMessages, groupSchema]
