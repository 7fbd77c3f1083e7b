-- Avatars, header images, and whether an image is animated. See docs/storage.md.
ALTER TABLE accounts ADD COLUMN avatar_id INTEGER;
ALTER TABLE accounts ADD COLUMN header_id INTEGER;
ALTER TABLE media ADD COLUMN animated INTEGER NOT NULL DEFAULT 0;
