-- The author of a parent may read the replies. Strangers see the public posts of an account, and the count of these.
ALTER TABLE posts ADD COLUMN parent_author_id INTEGER;
ALTER TABLE accounts ADD COLUMN public_post_count INTEGER NOT NULL DEFAULT 0;

-- Parents on other shards stay unknown: their authors read such older replies only as part of the thread.
UPDATE posts SET parent_author_id = (SELECT parent.author_id FROM posts AS parent WHERE parent.id = posts.parent_id)
WHERE parent_id IS NOT NULL;

-- Lane 2 has the public posts of the shard's own accounts.
INSERT INTO feed_index (author_id, lane, post_id)
SELECT author_id, 2, id FROM posts WHERE root_id IS NULL AND visibility = 'public';
UPDATE accounts
SET public_post_count = (SELECT count(*) FROM feed_index WHERE author_id = accounts.id AND lane = 2);
