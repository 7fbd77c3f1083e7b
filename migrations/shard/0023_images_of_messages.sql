-- The conversation in which the image was sent, and which message claimed it when, before it was stored.
ALTER TABLE media ADD COLUMN conversation_id TEXT;
ALTER TABLE media ADD COLUMN claim TEXT;
ALTER TABLE media ADD COLUMN claimed_at INTEGER;
