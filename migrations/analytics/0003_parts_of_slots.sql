-- A minute has up to 100 rows: the next one is begun when the ids of one are many. `slot` is the minute, times 100, plus the part.
CREATE TABLE slots_with_parts (
  slot INTEGER PRIMARY KEY,
  version INTEGER NOT NULL,
  open INTEGER NOT NULL,
  ids TEXT NOT NULL,
  site TEXT NOT NULL,
  counts TEXT NOT NULL,
  members TEXT NOT NULL
);
INSERT INTO slots_with_parts SELECT minute * 100, version, open, ids, site, counts, members FROM slots;
DROP TABLE slots;
ALTER TABLE slots_with_parts RENAME TO slots;
CREATE INDEX slots_open ON slots (slot) WHERE open = 1;
