-- post_count had counted comments, which stand in lane 1.
UPDATE accounts SET post_count = (SELECT count(*) FROM feed_index WHERE author_id = accounts.id AND lane = 0);
