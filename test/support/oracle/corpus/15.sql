CREATE TABLE app.distinct_nulls (a int UNIQUE NULLS NOT DISTINCT, b int);
INSERT INTO app.distinct_nulls VALUES (NULL, 1), (2, 2);
CREATE VIEW app.invoked WITH (security_invoker = true) AS SELECT * FROM app.secrets;
CREATE PUBLICATION filtered FOR TABLE app.customers (id, name) WHERE (id > 3);
CREATE PUBLICATION whole_schema FOR TABLES IN SCHEMA x;
CREATE TABLE app.pairs_of (a int, b int, PRIMARY KEY (a, b));
CREATE TABLE app.partly (a int, b int, FOREIGN KEY (a, b) REFERENCES app.pairs_of (a, b) ON DELETE SET NULL (b));
CREATE UNIQUE INDEX ON app.distinct_nulls (b) NULLS NOT DISTINCT;
