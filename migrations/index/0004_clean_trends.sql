-- One vote of an account for a thing, and names of hidden hashtags as votes have them.
DELETE FROM trend_votes WHERE EXISTS (
  SELECT 1 FROM trend_votes newer
  WHERE newer.kind = trend_votes.kind AND newer.key = trend_votes.key AND newer.actor_id = trend_votes.actor_id
    AND newer.window > trend_votes.window
);
UPDATE OR REPLACE hidden_trends SET key = lower(ltrim(key, '#')) WHERE kind = 'tag';
