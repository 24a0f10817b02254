#!/bin/bash
# SPDX-License-Identifier: MIT
# sqlite3: a workload of tables, indexes, full text, JSON and window functions
# that ends with an integrity check.
set -euo pipefail

sqlite3 -bail test.db <<'END'
PRAGMA page_size = 4096;
CREATE TABLE item(id INTEGER PRIMARY KEY, kind INT, name TEXT, weight REAL,
	body BLOB);
WITH RECURSIVE n(i, s) AS (
	SELECT 1, 42
	UNION ALL
	SELECT i + 1, (s * 69069 + 1) % 4294967296 FROM n WHERE i < 120000)
INSERT INTO item SELECT i, s % 97, 'item ' || (s % 5000) || ' of ' || i,
	s / 1000.0, zeroblob(s % 200) FROM n;
CREATE INDEX item_kind ON item(kind, weight);
CREATE INDEX item_name ON item(name);
SELECT kind, count(*), round(sum(weight), 3), max(name) FROM item
	GROUP BY kind ORDER BY kind;

CREATE VIRTUAL TABLE words USING fts5(text);
INSERT INTO words SELECT name || ' kind ' || kind FROM item WHERE id <= 20000;
SELECT count(*) FROM words WHERE words MATCH '4321 OR "kind 7"';

CREATE TABLE doc(id INTEGER PRIMARY KEY, json TEXT);
INSERT INTO doc SELECT id, json_object('kind', kind, 'name', name, 'list',
	json_array(id, weight, kind)) FROM item WHERE id % 7 = 0;
SELECT json_extract(json, '$.kind') AS k, sum(json_extract(json, '$.list[0]'))
	FROM doc GROUP BY k ORDER BY k LIMIT 10;

SELECT id, kind, rank() OVER (PARTITION BY kind ORDER BY weight DESC) AS r
	FROM item WHERE id < 3000 ORDER BY r, kind, id LIMIT 50;
SELECT a.kind, count(*) FROM item a JOIN item b ON b.id = a.id + 97
	WHERE a.kind < b.kind GROUP BY a.kind ORDER BY 2 DESC, 1 LIMIT 10;

BEGIN;
UPDATE item SET name = upper(name) || printf('%0*d', kind, id)
	WHERE id % 3 = 0;
DELETE FROM item WHERE id % 11 = 5;
SAVEPOINT inner;
DELETE FROM item;
ROLLBACK TO inner;
COMMIT;
SELECT count(*), sum(length(name)), sum(length(body)) FROM item;
VACUUM;
ANALYZE;
PRAGMA integrity_check;
PRAGMA foreign_key_check;
END

sqlite3 test.db .dump | sha256sum
sqlite3 test.db .dump | sqlite3 copy.db
sqlite3 copy.db 'PRAGMA integrity_check; SELECT count(*) FROM item;'
