-- Whose actions notify an account, by kind and channel, since each of its changes. What is absent has its default.
CREATE TABLE notification_rules (
  account_id INTEGER NOT NULL,
  since INTEGER NOT NULL,
  rules TEXT NOT NULL,
  PRIMARY KEY (account_id, since)
) WITHOUT ROWID;

CREATE TABLE notification_preferences (
  account_id INTEGER PRIMARY KEY,
  time_zone TEXT,
  quiet_from INTEGER,
  quiet_to INTEGER,
  include_text INTEGER NOT NULL
);

-- Mails and pushes about a notification. `next_at` is null once it was delivered, dropped or given up.
CREATE TABLE deliveries (
  account_id INTEGER NOT NULL,
  event_id INTEGER NOT NULL,
  channel TEXT NOT NULL,
  state TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  next_at INTEGER,
  reached TEXT,
  PRIMARY KEY (account_id, event_id, channel)
) WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE next_at IS NOT NULL;

-- When the last mail and the last push about notifications were sent, and the `next_at` of the deliveries in it.
CREATE TABLE delivery_turns (
  account_id INTEGER NOT NULL,
  channel TEXT NOT NULL,
  taken_at INTEGER NOT NULL,
  lease INTEGER NOT NULL,
  PRIMARY KEY (account_id, channel)
) WITHOUT ROWID;

CREATE TABLE suppressed_addresses (
  account_id INTEGER PRIMARY KEY,
  address TEXT NOT NULL
);

CREATE TABLE push_subscriptions (
  account_id INTEGER NOT NULL,
  id INTEGER NOT NULL,
  session_id TEXT NOT NULL,
  endpoint_hash TEXT NOT NULL,
  sealed TEXT NOT NULL,
  device TEXT NOT NULL,
  PRIMARY KEY (account_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX push_subscriptions_once ON push_subscriptions (endpoint_hash, account_id);
