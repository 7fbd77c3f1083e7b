-- A shard: accounts and all that they own, and its own events. See docs/storage.md.
CREATE TABLE accounts (
  id INTEGER PRIMARY KEY,
  handle TEXT NOT NULL,
  display_name TEXT NOT NULL,
  bio TEXT NOT NULL DEFAULT '',
  created_at INTEGER NOT NULL,
  suspended_at INTEGER,
  follower_count INTEGER NOT NULL DEFAULT 0,
  following_count INTEGER NOT NULL DEFAULT 0,
  post_count INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE follows (
  follower_id INTEGER NOT NULL,
  followee_id INTEGER NOT NULL,
  PRIMARY KEY (follower_id, followee_id)
) WITHOUT ROWID;
CREATE INDEX follows_of_followee ON follows (followee_id);

CREATE TABLE followers (
  account_id INTEGER NOT NULL,
  follower_id INTEGER NOT NULL,
  PRIMARY KEY (account_id, follower_id)
) WITHOUT ROWID;

CREATE TABLE blocks (
  account_id INTEGER NOT NULL,
  other_id INTEGER NOT NULL,
  by_me INTEGER NOT NULL,
  PRIMARY KEY (account_id, other_id, by_me)
) WITHOUT ROWID;

CREATE TABLE presence (account_id INTEGER PRIMARY KEY);

CREATE TABLE posts (
  id INTEGER PRIMARY KEY,
  author_id INTEGER NOT NULL,
  text TEXT NOT NULL,
  entities TEXT NOT NULL DEFAULT '[]',
  media TEXT NOT NULL DEFAULT '[]',
  visibility TEXT NOT NULL,
  root_id INTEGER,
  parent_id INTEGER,
  like_count INTEGER NOT NULL DEFAULT 0,
  comment_count INTEGER NOT NULL DEFAULT 0
);

CREATE TABLE likes (
  post_id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  PRIMARY KEY (post_id, account_id)
) WITHOUT ROWID;

CREATE TABLE thread_index (
  thread_id INTEGER NOT NULL,
  post_id INTEGER NOT NULL,
  PRIMARY KEY (thread_id, post_id)
) WITHOUT ROWID;

CREATE TABLE feed_index (
  author_id INTEGER NOT NULL,
  lane INTEGER NOT NULL,
  post_id INTEGER NOT NULL,
  PRIMARY KEY (author_id, lane, post_id)
) WITHOUT ROWID;

CREATE TABLE notifications (
  account_id INTEGER NOT NULL,
  id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  actor_id INTEGER NOT NULL,
  post_id INTEGER,
  root_id INTEGER,
  arrived_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, id)
) WITHOUT ROWID;
-- A repeated like or follow notifies once.
CREATE UNIQUE INDEX notifications_once ON notifications (account_id, actor_id, kind, ifnull(post_id, 0))
WHERE kind IN ('follow', 'like');

CREATE TABLE notification_markers (
  account_id INTEGER PRIMARY KEY,
  read_at INTEGER NOT NULL
);

CREATE TABLE media (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL,
  post_id INTEGER,
  alt TEXT NOT NULL,
  width INTEGER NOT NULL,
  height INTEGER NOT NULL,
  placeholder TEXT NOT NULL
);
CREATE INDEX media_by_post ON media (post_id);

CREATE TABLE idempotency_keys (
  account_id INTEGER NOT NULL,
  operation TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  result_id INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  PRIMARY KEY (account_id, operation, key)
) WITHOUT ROWID;
CREATE INDEX idempotency_keys_by_expiry ON idempotency_keys (expires_at);

CREATE TABLE outbox (
  id INTEGER PRIMARY KEY,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  trace TEXT NOT NULL DEFAULT '{}',
  pending TEXT
);

CREATE TABLE dead_letters (
  id TEXT PRIMARY KEY,
  queue TEXT NOT NULL,
  body TEXT NOT NULL,
  failed_at INTEGER NOT NULL,
  replay INTEGER NOT NULL DEFAULT 0,
  pending TEXT
);
CREATE INDEX dead_letters_by_age ON dead_letters (failed_at);
