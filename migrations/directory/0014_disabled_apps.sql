-- Apps that the staff disabled, and when the redirects of an app and its approvals last changed.
ALTER TABLE apps ADD COLUMN disabled_at INTEGER;
ALTER TABLE apps ADD COLUMN disabled_reason TEXT;
ALTER TABLE apps ADD COLUMN redirects_changed_at INTEGER NOT NULL DEFAULT 0;
ALTER TABLE app_grants ADD COLUMN approved_at INTEGER NOT NULL DEFAULT 0;
UPDATE app_grants SET approved_at = created_at;
-- Written by an earlier release only.
DROP TABLE oauth_client_resources;
