-- What a rotation answered, sealed, for clients that did not get the answer. See docs/storage.md.
ALTER TABLE refresh_tokens ADD COLUMN rotation_replay_response TEXT;
ALTER TABLE refresh_tokens ADD COLUMN rotation_replay_expires_at INTEGER;
