-- Groups in the inboxes. The name is sealed with the key of the account, like the preview.
ALTER TABLE conversations ADD COLUMN kind TEXT NOT NULL DEFAULT 'pair';
ALTER TABLE conversations ADD COLUMN name TEXT;
ALTER TABLE conversations ADD COLUMN member_count INTEGER NOT NULL DEFAULT 2;
ALTER TABLE conversations ADD COLUMN last_event TEXT;
