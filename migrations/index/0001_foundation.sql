-- Read models, filled by events and rebuildable. See docs/storage.md.
CREATE TABLE public_posts (
  post_id INTEGER PRIMARY KEY,
  author_id INTEGER NOT NULL
);
