-- Full-text search. The indexes have no content: texts stay on the shards. See docs/adr/0049-search.md.
CREATE VIRTUAL TABLE post_search USING fts5(
  text, tags, handle, facts, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'
);
CREATE VIRTUAL TABLE account_search USING fts5(
  handle, name, bio, content='', contentless_delete=1, tokenize="unicode61 remove_diacritics 2 tokenchars '_'", prefix='2 3 4'
);

-- The hashtags of the public posts of the last days, and how many of these posts use each.
CREATE TABLE tag_posts (
  post_id INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (post_id, tag)
) WITHOUT ROWID;
CREATE TABLE tags (
  tag TEXT PRIMARY KEY,
  uses INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX tags_by_uses ON tags (uses);
CREATE TRIGGER tag_used AFTER INSERT ON tag_posts BEGIN
  INSERT INTO tags (tag, uses) VALUES (new.tag, 1) ON CONFLICT (tag) DO UPDATE SET uses = uses + 1;
END;
CREATE TRIGGER tag_unused AFTER DELETE ON tag_posts BEGIN
  UPDATE tags SET uses = uses - 1 WHERE tag = old.tag;
  DELETE FROM tags WHERE tag = old.tag AND uses <= 0;
END;

-- Who gave a thing weight in an hour. Deleted after a day. See docs/adr/0049-search.md.
CREATE TABLE trend_votes (
  window INTEGER NOT NULL,
  actor_id INTEGER NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  lang TEXT NOT NULL,
  weight REAL NOT NULL,
  source_id INTEGER NOT NULL,
  PRIMARY KEY (window, actor_id, kind, key)
) WITHOUT ROWID;
CREATE INDEX trend_votes_by_key ON trend_votes (kind, key);
CREATE TABLE hidden_trends (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  PRIMARY KEY (kind, key)
) WITHOUT ROWID;

-- The id of each 50,000th post of the index, so that a query reads a bounded part of it.
CREATE TABLE search_marks (
  first_id INTEGER PRIMARY KEY
);

-- How far a rebuild has come on each shard.
CREATE TABLE rebuilds (
  shard INTEGER PRIMARY KEY,
  stage TEXT NOT NULL,
  after INTEGER NOT NULL
);
