-- `likes` decides who likes a post. The two lists are copies, ordered by the id of the like, which is that of its event.
-- The default is for the version that runs until this one is deployed.
CREATE TABLE identified_likes (
  post_id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  id INTEGER NOT NULL DEFAULT (CAST((julianday('now') - 2460676.5) * 8640000 AS INTEGER) * 32768),
  PRIMARY KEY (post_id, account_id)
) WITHOUT ROWID;
-- Likes that exist already get ids as if they had been given one after the other, right after the post was published.
INSERT INTO identified_likes (post_id, account_id, id)
SELECT post_id, account_id, post_id + 32768 * row_number() OVER (PARTITION BY post_id ORDER BY account_id) FROM likes;
DROP TABLE likes;
ALTER TABLE identified_likes RENAME TO likes;

CREATE TABLE post_likers (
  post_id INTEGER NOT NULL,
  id INTEGER NOT NULL,
  account_id INTEGER NOT NULL,
  PRIMARY KEY (post_id, id)
) WITHOUT ROWID;
INSERT INTO post_likers (post_id, id, account_id) SELECT post_id, id, account_id FROM likes;

CREATE TABLE liked_posts (
  account_id INTEGER NOT NULL,
  id INTEGER NOT NULL,
  post_id INTEGER NOT NULL,
  PRIMARY KEY (account_id, id)
) WITHOUT ROWID;
-- `liked_posts` is on the shard of the account, which only the Worker can write: one event for each like.
INSERT INTO outbox (id, type, data, pending)
SELECT coalesce((SELECT max(id) FROM outbox), 0) + row_number() OVER (ORDER BY likes.id), 'post.liked',
  json_object('postId', CAST(posts.id AS TEXT), 'authorId', CAST(author_id AS TEXT), 'actorId', CAST(account_id AS TEXT)),
  '["mirror-like"]'
FROM likes JOIN posts ON posts.id = likes.post_id;
