-- The directory's own events. See docs/storage.md.
CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  data TEXT NOT NULL
);

CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY,
  queue TEXT NOT NULL,
  body TEXT NOT NULL,
  failed_at INTEGER NOT NULL,
  replay INTEGER NOT NULL DEFAULT 0
);
