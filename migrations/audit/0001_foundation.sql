-- The audit log, append-only. `chain` and `seq` order the entries of a chain; `hash` signs an entry and the one before it.
CREATE TABLE audit_entries (
  id INTEGER PRIMARY KEY,
  chain INTEGER NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  action TEXT NOT NULL,
  account_id INTEGER,
  actor_id INTEGER,
  client TEXT,
  event_id INTEGER NOT NULL,
  previous TEXT NOT NULL,
  hash TEXT NOT NULL
);
CREATE UNIQUE INDEX audit_entries_by_chain ON audit_entries (chain, seq);
-- Events of different databases may have the same id, but not the same action.
CREATE UNIQUE INDEX audit_entries_by_event ON audit_entries (event_id, action);
CREATE INDEX audit_entries_by_account ON audit_entries (account_id, id);
CREATE INDEX audit_entries_by_actor ON audit_entries (actor_id, id);
CREATE INDEX audit_entries_by_action ON audit_entries (action, id);

CREATE TRIGGER audit_entries_never_change BEFORE UPDATE ON audit_entries BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
CREATE TRIGGER audit_entries_stay BEFORE DELETE ON audit_entries BEGIN SELECT raise(ABORT, 'the audit log is append-only'); END;
