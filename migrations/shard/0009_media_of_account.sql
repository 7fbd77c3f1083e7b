-- Lists the images of an account, for exports and erasures.
CREATE INDEX media_of_account ON media (account_id, id);
