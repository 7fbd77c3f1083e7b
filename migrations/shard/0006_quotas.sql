-- What an account has created on a day (UTC, days since 1970), for its daily quotas.
ALTER TABLE accounts ADD COLUMN post_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN posts_today INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN image_day INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN images_today INTEGER NOT NULL DEFAULT 0;
ALTER TABLE accounts ADD COLUMN image_bytes_today INTEGER NOT NULL DEFAULT 0;
