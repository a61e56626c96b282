/** A small database with an object of every kind that restores have trouble with. */
export const shopSql = `
CREATE SCHEMA stock;
CREATE TYPE public.size AS ENUM ('small', 'large');
CREATE TABLE public.customers (id serial PRIMARY KEY, name text NOT NULL, size public.size DEFAULT 'small');
CREATE TABLE stock."Odd ""Items""" (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text, "from" int REFERENCES public.customers);
CREATE TABLE public.orders (id int, customer int REFERENCES public.customers, placed date NOT NULL) PARTITION BY RANGE (placed);
CREATE TABLE public.orders_2025 PARTITION OF public.orders FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE public.orders_2026 PARTITION OF public.orders FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE public.files (id int PRIMARY KEY, content bytea, object oid);
CREATE TABLE public.empty (id int);
CREATE TABLE public.parent (id int);
CREATE TABLE public.child (extra text) INHERITS (public.parent);
INSERT INTO public.customers (name, size) SELECT 'Kundin ' || n || E'\\t"é"\\n\\\\.', 'large' FROM generate_series(1, 50) n;
INSERT INTO public.customers (name) VALUES (E'\\\\.'), (E'a\\n\\\\.\\nb; DROP TABLE public.customers;'), ('-- PostgreSQL database dump complete');
INSERT INTO stock."Odd ""Items""" (note, "from") SELECT repeat('x', n), 1 + n % 50 FROM generate_series(1, 30) n;
INSERT INTO public.orders SELECT n, 1 + n % 50, date '2025-06-01' + n FROM generate_series(1, 400) n;
INSERT INTO public.parent VALUES (1), (2);
INSERT INTO public.child VALUES (3, 'three');
INSERT INTO public.files VALUES (1, decode('00ff5c2e0a', 'hex'), lo_from_bytea(0, 'large object'));
CREATE FUNCTION public.total(customer int) RETURNS bigint LANGUAGE plpgsql AS $outer$
BEGIN
  EXECUTE $inner$ SELECT 1; $inner$;
  RETURN (SELECT count(*) FROM public.orders o WHERE o.customer = total.customer);
END $outer$;
CREATE FUNCTION public.twice(n int) RETURNS int LANGUAGE sql IMMUTABLE BEGIN ATOMIC SELECT CASE WHEN n > 0 THEN n * 2 ELSE 0 END; END;
CREATE VIEW public.large AS SELECT id, name, public.twice(id) AS twice FROM public.customers WHERE size = 'large';
CREATE MATERIALIZED VIEW public.per_month AS SELECT date_trunc('month', placed) AS month, count(*) FROM public.orders GROUP BY 1;
CREATE UNIQUE INDEX ON public.per_month (month);
CREATE FUNCTION public.touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER touch BEFORE UPDATE ON public.customers FOR EACH ROW EXECUTE FUNCTION public.touch();
CREATE RULE quiet AS ON DELETE TO public.empty DO INSTEAD NOTHING;
CREATE EXTENSION pg_trgm;
CREATE EXTENSION pg_stat_statements SCHEMA stock;
CREATE INDEX ON public.customers USING gin (name gin_trgm_ops);
ALTER TABLE public.customers ENABLE ROW LEVEL SECURITY;
CREATE POLICY everyone ON public.customers USING (true);
COMMENT ON TABLE public.customers IS 'Kundinnen; "é"';
SELECT setval('public.customers_id_seq', 1234);
`;

/** Rows of {@link shopSql}, as one line of text. */
export const shopCountsSql = `
SELECT (SELECT count(*) FROM public.customers), (SELECT count(*) FROM stock."Odd ""Items"""),
  (SELECT count(*) FROM public.orders), (SELECT count(*) FROM public.orders_2025), (SELECT count(*) FROM public.files),
  (SELECT count(*) FROM public.parent), (SELECT count(*) FROM public.per_month),
  (SELECT convert_from(lo_get(object), 'UTF8') FROM public.files), nextval('public.customers_id_seq')`;

/** What {@link shopCountsSql} answers. */
export const shopCounts = "53|30|400|213|1|3|14|large object|1235";

/** Contents that a live database has before a fault, and must have after it. */
export const liveSql = `
CREATE TABLE public.former (id int PRIMARY KEY);
INSERT INTO public.former SELECT generate_series(1, 7);`;

/** A plain dump in the form pg_dump writes, around these statements. */
export function plainDump(statements: string, encoding = "UTF8"): string {
  return `--
-- PostgreSQL database dump
--

-- Dumped from database version 17.6
-- Dumped by pg_dump version 17.6

SET statement_timeout = 0;
SET client_encoding = '${encoding}';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET client_min_messages = warning;

${statements}

--
-- PostgreSQL database dump complete
--

`;
}
