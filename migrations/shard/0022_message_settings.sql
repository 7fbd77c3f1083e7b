ALTER TABLE conversations ADD COLUMN muted_until INTEGER NOT NULL DEFAULT 0;

-- Without a row, the account shares its marks: typing, delivered and read.
CREATE TABLE message_settings (
  account_id INTEGER PRIMARY KEY,
  shares_marks INTEGER NOT NULL
);
