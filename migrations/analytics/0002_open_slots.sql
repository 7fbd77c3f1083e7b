-- Folds and charts read only open slots.
CREATE INDEX slots_open ON slots (minute) WHERE open = 1;
