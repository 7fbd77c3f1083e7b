-- Roles that administrators made. `permissions` is a JSON array of actions. The built-in roles are in the code.
CREATE TABLE roles (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  description TEXT NOT NULL,
  permissions TEXT NOT NULL
);

CREATE TABLE account_roles (
  account_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  role_id INTEGER NOT NULL,
  PRIMARY KEY (account_id, role_id)
) WITHOUT ROWID;
CREATE INDEX account_roles_by_role ON account_roles (role_id, account_id);

-- One action on one thing, like `posts:edit` on `post:456`, for one account.
CREATE TABLE grants (
  id INTEGER PRIMARY KEY,
  account_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  action TEXT NOT NULL,
  thing TEXT NOT NULL,
  until INTEGER,
  UNIQUE (account_id, action, thing)
);

-- What operators say about an account, like department = finance. Rules read it.
CREATE TABLE account_attributes (
  account_id INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account_id, name)
) WITHOUT ROWID;

-- A copy of the suspension, which is on the shard. It keeps a suspended account from becoming the only administrator.
ALTER TABLE users ADD COLUMN suspended INTEGER NOT NULL DEFAULT 0;
