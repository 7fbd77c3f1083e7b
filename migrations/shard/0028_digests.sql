-- Who wants a digest of unread notifications, and when the next one is due (epoch ms).
CREATE TABLE digests (
  account_id INTEGER PRIMARY KEY,
  every TEXT NOT NULL,
  time_zone TEXT NOT NULL,
  minutes INTEGER NOT NULL,
  asked_at INTEGER NOT NULL,
  next_at INTEGER NOT NULL
);
CREATE INDEX digests_due ON digests (next_at);
