-- Who may notify an account, by kind and channel. Settings that nobody changed are absent.
CREATE TABLE notification_preferences (
  account_id INTEGER PRIMARY KEY,
  rules TEXT NOT NULL,
  previous_rules TEXT NOT NULL,
  changed_at INTEGER NOT NULL,
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

CREATE TABLE mail_states (
  account_id INTEGER PRIMARY KEY,
  mailed_at INTEGER NOT NULL,
  suppressed_address TEXT
);

CREATE TABLE push_subscriptions (
  account_id INTEGER NOT NULL,
  id INTEGER NOT NULL,
  endpoint_hash TEXT NOT NULL,
  sealed TEXT NOT NULL,
  device TEXT NOT NULL,
  PRIMARY KEY (account_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX push_subscriptions_once ON push_subscriptions (account_id, endpoint_hash);
