-- The inbox shows the last message that its account has not deleted for itself, and the log lists every change.
ALTER TABLE conversations ADD COLUMN changed INTEGER;
ALTER TABLE conversations ADD COLUMN shown_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN shown_kind TEXT NOT NULL DEFAULT 'text';
ALTER TABLE conversations ADD COLUMN unread INTEGER NOT NULL DEFAULT 0;
ALTER TABLE conversations ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
UPDATE conversations SET changed = position, shown_seq = last_seq, unread = last_seq - read_seq;
DROP INDEX conversations_by_change;
CREATE INDEX conversations_by_change ON conversations (account_id, changed);
