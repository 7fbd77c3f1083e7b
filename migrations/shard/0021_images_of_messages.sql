-- The conversation in which the image was sent.
ALTER TABLE media ADD COLUMN conversation_id TEXT;
