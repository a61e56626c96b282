ALTER TABLE app.customers ALTER COLUMN data SET STORAGE MAIN;
CREATE TABLE app.with_storage (a text STORAGE EXTERNAL COMPRESSION pglz, b numeric);
INSERT INTO app.with_storage VALUES ('a', 1_000_000), (repeat('b', 5000), 0x1F);
CREATE VIEW app.json_of AS SELECT JSON_ARRAYAGG(id ORDER BY id NULL ON NULL) AS ids, '{}' IS JSON OBJECT AS is_object FROM app.a;
CREATE COLLATION app.rules (provider = icu, locale = 'und', rules = '& V << w <<< W');
