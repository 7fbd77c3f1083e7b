-- Who agreed to be counted as a reader, or declined to be counted at all. No row: the account has not decided.
CREATE TABLE activity_choices (
  account_id INTEGER PRIMARY KEY,
  agreed INTEGER NOT NULL,
  decided_at INTEGER NOT NULL
);
