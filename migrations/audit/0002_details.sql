-- What was done, as JSON. Entries without a detail keep the hash that they had before this column.
ALTER TABLE audit_entries ADD COLUMN detail TEXT;
