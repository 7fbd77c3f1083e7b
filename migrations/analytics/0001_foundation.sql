-- Only compared with each other, so that no two runs fold the same slots.
CREATE TABLE folds (
  id INTEGER PRIMARY KEY,
  version INTEGER NOT NULL
);
INSERT INTO folds (id, version) VALUES (1, 0);

-- The activity of one minute. The ids of what was counted stay for a week; counts and members until they are folded.
CREATE TABLE slots (
  minute INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  open INTEGER NOT NULL,
  ids TEXT NOT NULL,
  site TEXT NOT NULL,
  counts TEXT NOT NULL,
  members TEXT NOT NULL
);

CREATE TABLE rollups (
  metric TEXT NOT NULL,
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (metric, bucket, key)
) WITHOUT ROWID;

CREATE TABLE sketches (
  metric TEXT NOT NULL,
  bucket TEXT NOT NULL,
  key TEXT NOT NULL,
  sketch TEXT NOT NULL,
  PRIMARY KEY (metric, bucket, key)
) WITHOUT ROWID;

CREATE TABLE top_posts (
  bucket TEXT PRIMARY KEY,
  posts TEXT NOT NULL
);
