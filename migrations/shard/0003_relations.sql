-- Follows and blocks are listed by when they were created: `id` is the id of their event. Rows that exist already get the
-- id of the listed account. The default has the same order; it is for the version that runs until this one is deployed.
CREATE TABLE follows_by_age (
  follower_id INTEGER NOT NULL,
  id INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2460676.5) * 8640000 AS INTEGER) * 32768),
  followee_id INTEGER NOT NULL,
  PRIMARY KEY (follower_id, id)
) WITHOUT ROWID;
INSERT INTO follows_by_age (follower_id, id, followee_id) SELECT follower_id, followee_id, followee_id FROM follows;
DROP TABLE follows;
ALTER TABLE follows_by_age RENAME TO follows;
CREATE UNIQUE INDEX follows_of_followee ON follows (followee_id, follower_id);

ALTER TABLE followers ADD COLUMN id INTEGER NOT NULL DEFAULT 0;
UPDATE followers SET id = follower_id;
CREATE INDEX followers_by_age ON followers (account_id, id);

ALTER TABLE blocks ADD COLUMN id INTEGER NOT NULL DEFAULT 0;
UPDATE blocks SET id = other_id;
CREATE INDEX blocks_by_age ON blocks (account_id, by_me, id);
