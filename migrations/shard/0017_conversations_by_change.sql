-- For the greatest position of an account, and for the log over both folders. The other index begins with the folder.
CREATE INDEX conversations_by_change ON conversations (account_id, position);
