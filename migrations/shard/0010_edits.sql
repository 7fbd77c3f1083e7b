-- When the text was last edited, epoch ms; null if it never was.
ALTER TABLE posts ADD COLUMN edited_at INTEGER;
