-- What servers of every version have.
CREATE EXTENSION pg_trgm;
CREATE EXTENSION citext;
CREATE EXTENSION hstore WITH SCHEMA public;
CREATE EXTENSION btree_gist;
CREATE EXTENSION postgres_fdw;
COMMENT ON EXTENSION hstore IS 'our pairs';

CREATE SCHEMA app AUTHORIZATION corpus_owner;
CREATE SCHEMA "Odd.One ""x""";
CREATE SCHEMA "x.a";
CREATE SCHEMA x;
CREATE SCHEMA ext;
CREATE EXTENSION intarray WITH SCHEMA ext;
CREATE EXTENSION ltree WITH SCHEMA ext;
COMMENT ON SCHEMA app IS 'the application''s \ schema; "é" 🐘';
GRANT USAGE ON SCHEMA app, x TO corpus_reader;
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- Types.
CREATE TYPE app.size AS ENUM ('small', 'it''s "large"', 'ü');
ALTER TYPE app.size ADD VALUE 'medium' BEFORE 'it''s "large"';
ALTER TYPE app.size OWNER TO corpus_owner;
CREATE TYPE app.address AS (street text COLLATE "C", "no." int, tags text[]);
CREATE TYPE app.span AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE DOMAIN app.percent AS numeric(5, 2) DEFAULT 0 NOT NULL CONSTRAINT in_percent CHECK (VALUE BETWEEN 0 AND 100);
CREATE DOMAIN app.email AS citext CHECK (VALUE ~ '^[^@]+@[^@]+$');
CREATE DOMAIN app.loose AS int;
ALTER DOMAIN app.loose ADD CONSTRAINT "not yet" CHECK (VALUE > 0) NOT VALID;
COMMENT ON DOMAIN app.percent IS 'of a hundred';
COMMENT ON TYPE app.address IS 'where';
COMMENT ON COLUMN app.address.street IS 'and number';
COMMENT ON CONSTRAINT in_percent ON DOMAIN app.percent IS 'both included';
REVOKE USAGE ON TYPE app.span FROM PUBLIC;
GRANT USAGE ON TYPE app.span TO corpus_reader;

-- Collations.
CREATE COLLATION app.plain (lc_collate = 'C', lc_ctype = 'C');
CREATE COLLATION app.phonebook (provider = icu, locale = 'de-u-co-phonebk');
COMMENT ON COLLATION app.phonebook IS 'ä as ae';

-- Functions.
CREATE FUNCTION app.plus_one(n int DEFAULT 41) RETURNS int LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS 'SELECT $1 + 1';
CREATE FUNCTION app.many(IN a int, INOUT b text, OUT c numeric, VARIADIC rest int[]) LANGUAGE plpgsql STABLE SECURITY DEFINER COST 7 AS $body$
BEGIN
  -- A string with $$ and a backslash \ in it.
  b := b || E'\t$$' || a; c := coalesce(array_length(rest, 1), 0);
END $body$;
ALTER FUNCTION app.many(int, text, int[]) SET search_path TO app, "Odd.One ""x""", pg_temp;
ALTER FUNCTION app.many(int, text, int[]) SET work_mem TO '7MB';
CREATE FUNCTION app.rows_of(n int) RETURNS TABLE (i int, half numeric) LANGUAGE sql ROWS 17 AS 'SELECT g, g / 2.0 FROM generate_series(1, n) g';
CREATE FUNCTION app.set_of() RETURNS SETOF app.address LANGUAGE sql LEAKPROOF AS 'SELECT NULL::app.address';
ALTER FUNCTION app.set_of() NOT LEAKPROOF;
CREATE FUNCTION app.same(anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.same(anyarray) RETURNS anyarray LANGUAGE sql AS 'SELECT $1';
CREATE FUNCTION app.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE FUNCTION app.watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN NULL; END';
COMMENT ON FUNCTION app.plus_one(int) IS 'the answer';
REVOKE ALL ON FUNCTION app.plus_one(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION app.plus_one(int) TO corpus_reader;
ALTER FUNCTION app.touch() OWNER TO corpus_owner;

-- Operators, aggregates and casts.
CREATE FUNCTION app.near(point, point) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 <-> $2 < 1';
CREATE OPERATOR app.~~~ (LEFTARG = point, RIGHTARG = point, PROCEDURE = app.near, COMMUTATOR = OPERATOR(app.~~~), RESTRICT = contsel, JOIN = contjoinsel);
COMMENT ON OPERATOR app.~~~ (point, point) IS 'near';
CREATE FUNCTION app.negated(point) RETURNS point LANGUAGE sql IMMUTABLE AS 'SELECT point(-$1[0], -$1[1])';
CREATE OPERATOR app.!- (RIGHTARG = point, PROCEDURE = app.negated);
CREATE AGGREGATE app.sum_of(int) (SFUNC = int4pl, STYPE = int, INITCOND = '7', COMBINEFUNC = int4pl, PARALLEL = SAFE);
CREATE FUNCTION app.later_of(anyelement, anyelement) RETURNS anyelement LANGUAGE sql AS 'SELECT coalesce($2, $1)';
CREATE AGGREGATE app.last_of(anyelement) (SFUNC = app.later_of, STYPE = anyelement);
CREATE AGGREGATE app.largest(int) (SFUNC = int4larger, STYPE = int, SORTOP = OPERATOR(pg_catalog.>), MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = int);
COMMENT ON AGGREGATE app.sum_of(int) IS 'and seven';
CREATE FUNCTION app.to_text(app.address) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT ($1).street';
CREATE CAST (app.address AS text) WITH FUNCTION app.to_text(app.address) AS ASSIGNMENT;
CREATE CAST (app.address AS varchar) WITH INOUT AS IMPLICIT;
COMMENT ON CAST (app.address AS text) IS 'the street alone';
CREATE CONVERSION app.latin FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;

-- Text search.
CREATE TEXT SEARCH DICTIONARY app.simple_de (TEMPLATE = pg_catalog.simple, stopwords = 'german', accept = 'false');
CREATE TEXT SEARCH CONFIGURATION app.german (COPY = pg_catalog.german);
ALTER TEXT SEARCH CONFIGURATION app.german ALTER MAPPING FOR asciiword, word WITH app.simple_de, german_stem;
ALTER TEXT SEARCH CONFIGURATION app.german DROP MAPPING FOR email;
COMMENT ON TEXT SEARCH CONFIGURATION app.german IS 'ours';

-- Sequences: owned, not owned, of other kinds.
CREATE SEQUENCE app.free AS smallint INCREMENT -3 MINVALUE -300 MAXVALUE 99 START 9 CACHE 5 CYCLE;
SELECT nextval('app.free'), nextval('app.free');
CREATE SEQUENCE app.untouched START 1000;
CREATE SEQUENCE app.at_one; SELECT setval('app.at_one', 1, true);
CREATE SEQUENCE app.at_end MAXVALUE 3; SELECT setval('app.at_end', 3);
GRANT USAGE ON SEQUENCE app.free TO corpus_reader;
COMMENT ON SEQUENCE app.free IS 'counts down';

-- Tables.
CREATE TABLE app.customers (
  id serial PRIMARY KEY,
  name text NOT NULL COLLATE app.phonebook,
  mail app.email UNIQUE,
  size app.size DEFAULT 'medium',
  share app.percent DEFAULT 12.5,
  home app.address DEFAULT ROW('a "street", (1)', 1, '{x,"y,z"}'),
  born date CHECK (born > '1900-01-01'),
  matrix int[][],
  doc jsonb DEFAULT '{"a": [1, "\\"]}' NOT NULL,
  pairs hstore,
  seen timestamptz DEFAULT now(),
  took interval(3),
  code char(7),
  data bytea,
  bits varbit(9),
  CONSTRAINT "born before seen" CHECK (born < seen) NO INHERIT
);
ALTER TABLE app.customers OWNER TO corpus_owner;
ALTER TABLE app.customers ALTER COLUMN doc SET STORAGE EXTERNAL, ALTER COLUMN name SET STATISTICS 77, ALTER COLUMN name SET (n_distinct = -0.5);
ALTER TABLE app.customers SET (fillfactor = 70, autovacuum_enabled = false, toast.autovacuum_enabled = false);
COMMENT ON TABLE app.customers IS E'line 1\nline 2 -- no comment';
COMMENT ON COLUMN app.customers.doc IS 'free form; $$';
COMMENT ON CONSTRAINT "born before seen" ON app.customers IS 'obviously';
GRANT SELECT, INSERT ON app.customers TO corpus_reader WITH GRANT OPTION;
GRANT UPDATE (name, doc) ON app.customers TO corpus_reader;
INSERT INTO app.customers (name, mail, size, share, home, born, matrix, doc, pairs, seen, took, code, data, bits)
SELECT 'Kundin ' || n || E'\t"é"\n\\.\\N', 'k' || n || '@Example.org', (enum_range(NULL::app.size))[1 + n % 4], n, ROW('Street; ' || n, n, ARRAY['a', NULL, 'c''"{}'])::app.address,
  '1950-01-01'::date + n, ARRAY[[n, 2], [NULL, 4]], jsonb_build_object('n', n, 'text', repeat('x', n * 100)), hstore('k', NULL), '2020-02-29 12:00:00.123456+02', n * interval '1 s', 'c' || n,
  decode(md5(n::text), 'hex'), B'101' FROM generate_series(1, 40) n;
INSERT INTO app.customers (name, doc) VALUES ('', '"empty"'), (E'\\.', 'null'), (E'a\n\\.\nb; DROP TABLE app.customers;', '{}'), ('-- PostgreSQL database dump complete', '[]'), (E'\r\n', '1e400');
UPDATE app.customers SET matrix = '[2:3][-1:0]={{1,2},{3,4}}' WHERE id = 7;

CREATE TABLE "Odd.One ""x"""."Tab.le; ""y"" é" ("select" int PRIMARY KEY, "a b" text, "C" text DEFAULT 'it''s');
COMMENT ON COLUMN "Odd.One ""x"""."Tab.le; ""y"" é"."a b" IS 'spaced';
INSERT INTO "Odd.One ""x"""."Tab.le; ""y"" é" SELECT n, NULLIF(n % 3, 0) FROM generate_series(1, 20) n;
CREATE TABLE "x.a".b (i int);
CREATE TABLE x."a.b" (i int);
INSERT INTO "x.a".b SELECT generate_series(1, 3);
INSERT INTO x."a.b" VALUES (1);
CREATE TABLE public.without_columns ();
INSERT INTO public.without_columns SELECT FROM generate_series(1, 4);
CREATE TABLE public.dropped_columns (a int, b int, c text, d int);
ALTER TABLE public.dropped_columns DROP COLUMN b;
INSERT INTO public.dropped_columns VALUES (1, 'one', 2);
ALTER TABLE public.dropped_columns DROP COLUMN a;
CREATE UNLOGGED TABLE public.unlogged (i int);
INSERT INTO public.unlogged VALUES (1);
CREATE TABLE public.typed OF app.address (street WITH OPTIONS NOT NULL);
INSERT INTO public.typed VALUES ('s', 1, '{}');
CREATE TABLE public.identities (a int GENERATED ALWAYS AS IDENTITY (START 10 INCREMENT 10), b bigint GENERATED BY DEFAULT AS IDENTITY, t text);
INSERT INTO public.identities (t) VALUES ('a'), ('b');
CREATE TABLE public.floats (a float8, b float4, c numeric, d money, e "char");
INSERT INTO public.floats VALUES ('NaN', 'Infinity', 'NaN', 12.34, 'x'), (0.1 + 0.2, 1e-7, 1e-30, -1, ''), ('-0', '1.17549435e-38', 123456789012345678901234567890.12, NULL, E'\\101');
CREATE TABLE public.networks (a inet, b cidr, c macaddr, d macaddr8, u uuid, x xml, tsv tsvector, tsq tsquery, p point, b2 box, r int4range, ts tstzrange, o oid, rc regclass, tree ext.ltree);
INSERT INTO public.networks VALUES ('::1/128', '10.0.0.0/8', '08:00:2b:01:02:03', '08:00:2b:01:02:03:04:05', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '<a b="1">é</a>', 'a:1 b:2', 'a & !b', '(1,2)', '(1,1),(0,0)', '[1,5)', '[2020-01-01,)', 5, 'app.customers', 'Top.Science');

-- Keys, also deferrable, in circles and to oneself.
CREATE TABLE app.a (id int PRIMARY KEY, b int);
CREATE TABLE app.b (id int PRIMARY KEY, a int, parent int);
INSERT INTO app.a VALUES (1, 2); INSERT INTO app.b VALUES (2, 1, 2);
ALTER TABLE app.a ADD CONSTRAINT to_b FOREIGN KEY (b) REFERENCES app.b ON DELETE CASCADE ON UPDATE SET NULL DEFERRABLE INITIALLY DEFERRED;
ALTER TABLE app.b ADD FOREIGN KEY (a) REFERENCES app.a MATCH FULL DEFERRABLE, ADD FOREIGN KEY (parent) REFERENCES app.b ON DELETE SET DEFAULT;
INSERT INTO app.b VALUES (9, NULL, 9);
ALTER TABLE app.b ADD CONSTRAINT later CHECK (parent < 9) NOT VALID;
ALTER TABLE app.b ADD UNIQUE (a, parent) DEFERRABLE INITIALLY DEFERRED;
CREATE TABLE app.booked (room int, during tsrange, note text, EXCLUDE USING gist (room WITH =, during WITH &&) WHERE (note IS NOT NULL));
INSERT INTO app.booked VALUES (1, '[2020-01-01,2020-01-02)', 'x'), (1, '[2020-01-01,2020-01-02)', NULL);

-- Indexes.
CREATE INDEX customers_expression ON app.customers (lower(name) DESC NULLS LAST, (born + 1)) WHERE size IS NOT NULL;
CREATE INDEX customers_trigrams ON app.customers USING gin (name gin_trgm_ops, doc jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX customers_born ON app.customers USING brin (born) WITH (pages_per_range = 4);
CREATE INDEX customers_name ON app.customers (name COLLATE "C" text_pattern_ops);
CREATE INDEX by_plus_one ON app.a (app.plus_one(b));
CREATE UNIQUE INDEX "index.with ""odd"" name" ON app.customers USING btree (code) WHERE code > 'c3';
CREATE INDEX booked_note ON app.booked USING hash (note);
COMMENT ON INDEX app.customers_born IS 'small';
ALTER TABLE app.customers CLUSTER ON customers_pkey;
ALTER TABLE app.customers REPLICA IDENTITY USING INDEX customers_pkey;
ALTER TABLE app.b REPLICA IDENTITY FULL;
CREATE STATISTICS app.together (dependencies, ndistinct) ON born, size FROM app.customers;
COMMENT ON STATISTICS app.together IS 'dependent';

-- Inheritance and partitions.
CREATE TABLE app.parent (id int, kind text DEFAULT 'p', CONSTRAINT positive CHECK (id > 0));
CREATE TABLE app.second (extra int);
CREATE TABLE app.child (own text, kind text DEFAULT 'c') INHERITS (app.parent, app.second);
ALTER TABLE app.child ALTER COLUMN id SET DEFAULT 5;
INSERT INTO app.parent VALUES (1), (2); INSERT INTO app.child (extra, own) VALUES (3, 'x');
CREATE TABLE app.events (at date NOT NULL, what text NOT NULL, n int) PARTITION BY RANGE (at);
CREATE TABLE app.events_2025 PARTITION OF app.events FOR VALUES FROM ('2025-01-01') TO ('2026-01-01') PARTITION BY LIST (what);
CREATE TABLE app.events_2025_a PARTITION OF app.events_2025 (n DEFAULT 7) FOR VALUES IN ('a', 'it''s');
CREATE TABLE app.events_2025_null PARTITION OF app.events_2025 FOR VALUES IN ('b', NULL);
CREATE TABLE x.events_old PARTITION OF app.events FOR VALUES FROM (MINVALUE) TO ('2025-01-01');
CREATE TABLE app.other_order (n int, what text NOT NULL, at date NOT NULL);
ALTER TABLE app.events ATTACH PARTITION app.other_order FOR VALUES FROM ('2026-01-01') TO (MAXVALUE);
CREATE INDEX ON app.events_2025_a (n);
INSERT INTO app.events SELECT '2024-12-01'::date + n, CASE n % 2 WHEN 0 THEN 'a' ELSE 'b' END, n FROM generate_series(1, 600) n;
CREATE TABLE app.by_expression (i int, t text) PARTITION BY LIST (lower(t));
CREATE TABLE app.by_expression_x PARTITION OF app.by_expression FOR VALUES IN ('x');
INSERT INTO app.by_expression VALUES (1, 'X');

-- Views, rules and triggers.
CREATE VIEW app.large WITH (security_barrier) AS SELECT c.id, c.name AS "the.name", app.plus_one(c.id) FROM app.customers c WHERE c.size > 'small' WITH LOCAL CHECK OPTION;
CREATE VIEW public."View ""v""" AS SELECT * FROM app.large UNION ALL SELECT 0, 'none', 0;
CREATE RECURSIVE VIEW app.counting (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM counting WHERE n < 9;
ALTER VIEW app.large ALTER COLUMN id SET DEFAULT 77;
COMMENT ON VIEW app.large IS 'not small';
COMMENT ON COLUMN app.large."the.name" IS 'of a view';
GRANT SELECT ON app.large TO corpus_reader;
CREATE MATERIALIZED VIEW app.sums WITH (fillfactor = 50) AS SELECT what, sum(n) AS total FROM app.events GROUP BY what;
CREATE UNIQUE INDEX sums_what ON app.sums (what);
CREATE MATERIALIZED VIEW public.of_sums AS SELECT max(total) FROM app.sums;
CREATE MATERIALIZED VIEW app.unfilled AS SELECT 1 AS one WITH NO DATA;
CREATE VIEW app.grouped AS SELECT id, name FROM app.customers GROUP BY id;
CREATE RULE quiet AS ON DELETE TO app.second DO INSTEAD NOTHING;
CREATE RULE also AS ON UPDATE TO app.second WHERE new.extra > old.extra DO ALSO (INSERT INTO app.a VALUES (new.extra, NULL); DELETE FROM app.a WHERE id = new.extra);
CREATE RULE told AS ON INSERT TO app.second DO ALSO NOTIFY "changed; it";
ALTER TABLE app.second DISABLE RULE quiet;
COMMENT ON RULE also ON app.second IS 'both';
CREATE TRIGGER "touch it" BEFORE INSERT OR UPDATE OF name, mail ON app.customers FOR EACH ROW WHEN (new.id > 0) EXECUTE PROCEDURE app.touch('an "argument"', 'it''s');
CREATE CONSTRAINT TRIGGER checked AFTER INSERT ON app.customers FROM app.a DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE PROCEDURE app.touch();
CREATE TRIGGER instead INSTEAD OF INSERT ON app.large FOR EACH ROW EXECUTE PROCEDURE app.touch();
CREATE TRIGGER transition AFTER UPDATE ON app.a REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE PROCEDURE app.touch();
CREATE TRIGGER off BEFORE DELETE ON app.a FOR EACH ROW EXECUTE PROCEDURE app.touch();
CREATE TRIGGER always BEFORE DELETE ON app.a FOR EACH ROW EXECUTE PROCEDURE app.touch();
CREATE TRIGGER of_replica BEFORE DELETE ON app.a FOR EACH ROW EXECUTE PROCEDURE app.touch();
ALTER TABLE app.a DISABLE TRIGGER off, ENABLE ALWAYS TRIGGER always, ENABLE REPLICA TRIGGER of_replica;
COMMENT ON TRIGGER off ON app.a IS 'asleep';
CREATE EVENT TRIGGER watch ON ddl_command_end WHEN TAG IN ('CREATE TABLE', 'DROP TABLE') EXECUTE PROCEDURE app.watch();
ALTER EVENT TRIGGER watch DISABLE;
COMMENT ON EVENT TRIGGER watch IS 'asleep too';

-- Row-level security.
CREATE TABLE app.secrets (id int, whose name DEFAULT current_user);
INSERT INTO app.secrets SELECT generate_series(1, 12);
ALTER TABLE app.secrets ENABLE ROW LEVEL SECURITY;
ALTER TABLE app.secrets FORCE ROW LEVEL SECURITY;
ALTER TABLE app.secrets OWNER TO corpus_owner;
CREATE POLICY own ON app.secrets AS PERMISSIVE FOR ALL TO corpus_reader USING (whose = current_user) WITH CHECK (id > 0);
CREATE POLICY narrow ON app.secrets AS RESTRICTIVE FOR SELECT TO PUBLIC USING (id < 100);
COMMENT ON POLICY narrow ON app.secrets IS 'not all';

-- Foreign data.
CREATE SERVER far TYPE 'pg' VERSION '9' FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host '127.0.0.9', port '1', dbname 'it''s "far"');
COMMENT ON SERVER far IS 'away';
CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS ("user" 'u', password 'p "x''');
CREATE FOREIGN TABLE app.rates (day date OPTIONS (column_name 'the day'), rate numeric NOT NULL) SERVER far OPTIONS (schema_name 's', table_name 't');
ALTER FOREIGN TABLE app.rates ADD CONSTRAINT positive CHECK (rate > 0);
COMMENT ON FOREIGN TABLE app.rates IS 'of the bank';
CREATE FOREIGN DATA WRAPPER nothing OPTIONS (debug 'true');
GRANT USAGE ON FOREIGN SERVER far TO corpus_reader;

-- Publications and subscriptions.
CREATE PUBLICATION two FOR TABLE app.a, app.b WITH (publish = 'insert, delete');
CREATE PUBLICATION everything FOR ALL TABLES;
CREATE PUBLICATION nothing;
COMMENT ON PUBLICATION two IS 'two tables';
ALTER PUBLICATION two OWNER TO corpus_owner;

-- Large objects.
SELECT lo_from_bytea(4711, 'large é'), lo_from_bytea(4712, ''), lo_from_bytea(4713, decode(repeat('00ff5c', 3000), 'hex'));
COMMENT ON LARGE OBJECT 4711 IS 'a large object';
GRANT SELECT ON LARGE OBJECT 4712 TO corpus_reader;
ALTER LARGE OBJECT 4713 OWNER TO corpus_owner;
CREATE TABLE app.files (id int, content oid);
INSERT INTO app.files VALUES (1, 4711), (2, 4712), (3, 4713);

-- Default privileges, and those of what is there already.
ALTER DEFAULT PRIVILEGES FOR ROLE corpus_owner IN SCHEMA app GRANT SELECT, UPDATE ON TABLES TO corpus_reader;
ALTER DEFAULT PRIVILEGES FOR ROLE corpus_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES FOR ROLE corpus_owner GRANT USAGE ON SEQUENCES TO corpus_reader;
GRANT SELECT ON ALL TABLES IN SCHEMA x TO corpus_reader;

-- Materialized views from here on are created by the dump, not filled in an order that only we know.
REFRESH MATERIALIZED VIEW app.sums;
REFRESH MATERIALIZED VIEW public.of_sums;
