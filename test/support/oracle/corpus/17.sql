CREATE TABLE app.identity_parts (id int GENERATED ALWAYS AS IDENTITY, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE app.identity_parts_1 PARTITION OF app.identity_parts FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
INSERT INTO app.identity_parts (at) VALUES ('2020-01-01'), ('2021-01-01');
CREATE VIEW app.tables_of_json AS SELECT * FROM JSON_TABLE('[{"a": 1}]', '$[*]' COLUMNS (a int PATH '$.a' DEFAULT 7 ON EMPTY));
CREATE COLLATION app.of_postgres (provider = builtin, locale = 'C.UTF-8');
GRANT MAINTAIN ON app.a TO corpus_reader;
ALTER TABLE app.a ALTER COLUMN b SET STATISTICS DEFAULT;
