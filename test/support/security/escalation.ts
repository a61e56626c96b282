import type { TestServer } from "../servers/server";

/** Beginning of the names of files that code of a database writes where it can: as a superuser. */
const mark = "/tmp/superuser-";

/**
 * Body of a function of a database's owner, in PL/pgSQL: goes back to the role that logged in, as any function may, and has
 * `note` write a file to PostgreSQL's temporary folder, which a superuser may, even in a read-only transaction.
 */
export const tries = (what: string): string => `
  BEGIN PERFORM pg_catalog.set_config('role', 'none', true); EXCEPTION WHEN OTHERS THEN NULL; END;
  PERFORM public.note('${what}');`;

/** A function that {@link tries}, as a scalar of one argument. */
const scalar = (name: string): string => `
  CREATE FUNCTION public.${name}(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN ${tries(name)} RETURN x; END $f$;
  CREATE FUNCTION public.${name}_true(x int) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $f$ BEGIN ${tries(name)} RETURN true; END $f$;`;

/** Tables whose rows, indexes and constraints call functions of the owner in every way that a dump can have. */
export const escalationSql = `
  CREATE FUNCTION public.note(what text) RETURNS void LANGUAGE plpgsql AS $f$
  BEGIN EXECUTE pg_catalog.format('COPY (SELECT 1) TO %L', '${mark}' OPERATOR(pg_catalog.||) what); EXCEPTION WHEN OTHERS THEN NULL; END $f$;
  ${["by_index", "by_check", "by_generated", "by_default", "by_domain", "by_view", "by_policy", "by_predicate", "by_partition"].map(scalar).join("")}
  CREATE FUNCTION public.by_trigger() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN ${tries("by_trigger")} RETURN NEW; END $f$;
  CREATE FUNCTION public.by_event() RETURNS event_trigger LANGUAGE plpgsql AS $f$ BEGIN ${tries("by_event")} END $f$;
  CREATE DOMAIN public.odd AS int CHECK (public.by_domain_true(VALUE));
  CREATE TABLE public.t (
    id int PRIMARY KEY, a int CHECK (public.by_check_true(a)), b int GENERATED ALWAYS AS (public.by_generated(id)) STORED,
    c int DEFAULT public.by_default(1), d public.odd);
  CREATE INDEX ON public.t (public.by_index(a)) WHERE public.by_predicate_true(a);
  ALTER TABLE public.t ENABLE ROW LEVEL SECURITY;
  CREATE POLICY p ON public.t USING (public.by_policy_true(id));
  CREATE TRIGGER a BEFORE INSERT OR UPDATE ON public.t FOR EACH ROW EXECUTE FUNCTION public.by_trigger();
  ALTER TABLE public.t ENABLE ALWAYS TRIGGER a;
  INSERT INTO public.t (id, a, d) SELECT i, i, i FROM generate_series(1, 20) i;
  CREATE MATERIALIZED VIEW public.m AS SELECT public.by_view(id) AS id FROM public.t;
  CREATE TABLE public.parts (id int) PARTITION BY RANGE (public.by_partition(id));
  CREATE TABLE public.part PARTITION OF public.parts DEFAULT;
  INSERT INTO public.parts VALUES (1);
  CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION public.by_event();`;

/** Which code has run with a superuser's rights since the last call; `[]` if none has. */
export async function escalated(server: TestServer): Promise<string[]> {
  return server.takeFiles(mark);
}
