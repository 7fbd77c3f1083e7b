-- Addresses of webhooks are sealed from now on. No release has stored one in clear; such an address stays so until it is edited.
ALTER TABLE webhook_endpoints ADD COLUMN url_index TEXT NOT NULL DEFAULT '';
