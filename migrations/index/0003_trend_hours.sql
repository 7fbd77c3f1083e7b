-- Sums of the votes of hours that have ended, so that the job of each minute reads the votes of this hour only. An account has one vote
-- for a thing, its latest, so the hours can be added up. See docs/adr/0049-search.md.
CREATE TABLE trend_hours (
  window INTEGER NOT NULL,
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  lang TEXT NOT NULL,
  actors INTEGER NOT NULL,
  newcomers REAL NOT NULL,
  others REAL NOT NULL,
  PRIMARY KEY (window, kind, key, lang)
) WITHOUT ROWID;
-- The hours that are in trend_hours.
CREATE TABLE trend_folds (
  window INTEGER PRIMARY KEY
);
DROP INDEX trend_votes_by_key;
CREATE INDEX trend_votes_by_key ON trend_votes (kind, key, actor_id);

CREATE TRIGGER trend_voted AFTER INSERT ON trend_votes BEGIN
  INSERT INTO trend_hours (window, kind, key, lang, actors, newcomers, others)
    SELECT window, new.kind, new.key, new.lang, 1, iif(new.weight <= 0.02, new.weight, 0), iif(new.weight <= 0.02, 0, new.weight)
    FROM trend_folds WHERE window = new.window
    ON CONFLICT DO UPDATE SET
      actors = actors + 1, newcomers = newcomers + excluded.newcomers, others = others + excluded.others;
  DELETE FROM trend_votes WHERE kind = new.kind AND key = new.key AND actor_id = new.actor_id AND window <
    (SELECT max(window) FROM trend_votes WHERE kind = new.kind AND key = new.key AND actor_id = new.actor_id);
END;
CREATE TRIGGER trend_unvoted AFTER DELETE ON trend_votes
  WHEN EXISTS (SELECT 1 FROM trend_folds WHERE window = old.window) BEGIN
  UPDATE trend_hours SET actors = actors - 1,
    newcomers = newcomers - iif(old.weight <= 0.02, old.weight, 0), others = others - iif(old.weight <= 0.02, 0, old.weight)
    WHERE window = old.window AND kind = old.kind AND key = old.key AND lang = old.lang;
  DELETE FROM trend_hours WHERE window = old.window AND kind = old.kind AND key = old.key AND lang = old.lang AND actors <= 0;
END;

CREATE VIEW trend_counts AS
  SELECT window, kind, key, lang, count(*) AS actors,
    sum(iif(weight <= 0.02, weight, 0)) AS newcomers, sum(iif(weight <= 0.02, 0, weight)) AS others
  FROM trend_votes GROUP BY window, kind, key, lang;
-- The sums of all hours. Of the hour that has not ended, at most so many votes count.
CREATE VIEW trend_sums AS
  SELECT window, kind, key, lang, actors, newcomers, others FROM trend_hours
  UNION ALL
  SELECT window, kind, key, lang, count(*), sum(iif(weight <= 0.02, weight, 0)), sum(iif(weight <= 0.02, 0, weight))
  FROM (SELECT * FROM trend_votes WHERE window > (SELECT coalesce(max(window), 0) FROM trend_folds) LIMIT 100000)
  GROUP BY window, kind, key, lang;

-- Whether the staff hides an entry, and the event that said so, because events may arrive in another order.
ALTER TABLE hidden_trends ADD COLUMN is_hidden INTEGER NOT NULL DEFAULT 1;
ALTER TABLE hidden_trends ADD COLUMN event_id INTEGER NOT NULL DEFAULT 0;
