CREATE TABLE tag_follows (
  account_id INTEGER NOT NULL,
  tag TEXT NOT NULL,
  PRIMARY KEY (account_id, tag)
) WITHOUT ROWID;
