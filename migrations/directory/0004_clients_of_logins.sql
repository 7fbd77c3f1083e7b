-- The client that a login began with, encrypted for the account, and the device that it belongs to.
ALTER TABLE sessions ADD COLUMN sealed_client TEXT;
ALTER TABLE sessions ADD COLUMN device_id TEXT;

-- When the account first logged in; null if it never did. Epoch ms, like the time until which device tokens are void.
ALTER TABLE users ADD COLUMN first_login_at INTEGER;
ALTER TABLE users ADD COLUMN devices_void_before INTEGER NOT NULL DEFAULT 0;
