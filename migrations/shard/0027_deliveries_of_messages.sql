-- Mails and pushes about messages: one row for each conversation and channel, which names the last message to tell.
ALTER TABLE deliveries ADD COLUMN conversation_id TEXT;
ALTER TABLE deliveries ADD COLUMN seq INTEGER;
ALTER TABLE deliveries ADD COLUMN author_id INTEGER;
ALTER TABLE deliveries ADD COLUMN first_at INTEGER;
CREATE UNIQUE INDEX deliveries_of_conversations ON deliveries (account_id, channel, conversation_id)
  WHERE conversation_id IS NOT NULL;

ALTER TABLE notification_preferences ADD COLUMN include_messages INTEGER NOT NULL DEFAULT 0;

-- When the token was issued that subscribed: tokens that were revoked get no pushes.
ALTER TABLE push_subscriptions ADD COLUMN issued_at INTEGER NOT NULL DEFAULT 0;
