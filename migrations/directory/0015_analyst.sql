-- A role of every installation. Administrators give it to accounts like one of their own, and cannot change it.
INSERT INTO roles (id, name, description, permissions)
  VALUES (32768, 'analyst', 'Reads statistics of the whole network', '["analytics:read"]')
  ON CONFLICT (name) DO UPDATE SET description = excluded.description, permissions = excluded.permissions;
