import type { TestServer } from "../servers/server";

/** Schema of the shadows. */
const schema = "shadows";

/** Beginning of the names of files that a shadow writes when a superuser calls it. */
const mark = "/dev/shm/shadow-";

/**
 * SQL by which the owner of a database puts functions, operators and views in front of those of PostgreSQL with the same
 * names: every function that has types of values only, every operator, every relation of the catalog, every type that a
 * cast may name. Each writes a file when the superuser calls it, which works in a read-only transaction too, and then does
 * what it is for.
 */
const plantSql = (database: string): string => `
CREATE SCHEMA ${schema};
CREATE FUNCTION ${schema}.note(what text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  IF pg_catalog.current_setting('is_superuser') OPERATOR(pg_catalog.=) 'on' THEN
    EXECUTE pg_catalog.format('COPY (SELECT 1) TO %L', '${mark}' OPERATOR(pg_catalog.||) pg_catalog.replace(what, '/', 'divided'));
  END IF;
END $$;
CREATE FUNCTION ${schema}.noted(what text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN PERFORM ${schema}.note(what); RETURN true; END $$;
DO $do$
DECLARE one record; made int := 0;
BEGIN
  FOR one IN
    SELECT p.oid, p.proname, pg_catalog.pg_get_function_result(p.oid) AS result, pg_catalog.pg_get_function_identity_arguments(p.oid) AS args,
           (SELECT pg_catalog.string_agg('$' || i, ', ') FROM pg_catalog.generate_series(1, p.pronargs) i) AS given
    FROM pg_catalog.pg_proc p
    WHERE p.pronamespace = 'pg_catalog'::regnamespace AND p.prokind = 'f' AND p.provariadic = 0 AND NOT p.proretset
      AND NOT EXISTS (SELECT FROM pg_catalog.pg_type t WHERE t.typtype = 'p' AND t.typname <> 'void'
                        AND (t.oid = p.prorettype OR t.oid = ANY (p.proargtypes)))
      AND p.proallargtypes IS NULL
  LOOP
    BEGIN
      EXECUTE pg_catalog.format('CREATE FUNCTION ${schema}.%I(%s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM ${schema}.note(%L); %s; END $f$',
        one.proname, one.args, one.result, one.proname,
        CASE WHEN one.result = 'void' THEN pg_catalog.format('PERFORM pg_catalog.%I(%s)', one.proname, one.given)
             ELSE pg_catalog.format('RETURN pg_catalog.%I(%s)', one.proname, one.given) END);
      made := made + 1;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR one IN
    SELECT o.oprname, o.oprleft::regtype AS l, o.oprright::regtype AS r, o.oprresult::regtype AS result
    FROM pg_catalog.pg_operator o WHERE o.oprnamespace = 'pg_catalog'::regnamespace AND o.oprleft <> 0 AND o.oprcode <> 0
  LOOP
    BEGIN
      EXECUTE pg_catalog.format('CREATE FUNCTION ${schema}.%I(%s, %s) RETURNS %s LANGUAGE plpgsql AS $f$ BEGIN PERFORM ${schema}.note(%L); RETURN $1 OPERATOR(pg_catalog.%s) $2; END $f$',
        'operator ' || one.oprname, one.l, one.r, one.result, 'operator ' || one.oprname, one.oprname);
      EXECUTE pg_catalog.format('CREATE OPERATOR ${schema}.%s (LEFTARG = %s, RIGHTARG = %s, FUNCTION = ${schema}.%I)', one.oprname, one.l, one.r, 'operator ' || one.oprname);
      made := made + 1;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR one IN
    SELECT c.relname, (SELECT a.attname FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND a.attnum = 1) AS first
    FROM pg_catalog.pg_class c WHERE c.relnamespace = 'pg_catalog'::regnamespace AND c.relkind IN ('r', 'v')
  LOOP
    BEGIN
      EXECUTE pg_catalog.format('CREATE VIEW ${schema}.%I AS SELECT t.* FROM pg_catalog.%I t, (SELECT ${schema}.note(%L) OFFSET 0) n', one.relname, one.relname, 'relation ' || one.relname);
      made := made + 1;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  FOR one IN
    SELECT t.typname FROM pg_catalog.pg_type t
    WHERE t.typnamespace = 'pg_catalog'::regnamespace AND t.typtype = 'b' AND t.typcategory <> 'A'
  LOOP
    BEGIN
      EXECUTE pg_catalog.format('CREATE DOMAIN ${schema}.%I AS pg_catalog.%I CHECK (${schema}.noted(%L))', one.typname, one.typname, 'type ' || one.typname);
      made := made + 1;
    EXCEPTION WHEN OTHERS THEN NULL;
    END;
  END LOOP;
  IF made < 2950 THEN RAISE EXCEPTION 'only % shadows', made; END IF;
END $do$;
GRANT USAGE ON SCHEMA ${schema} TO PUBLIC;
ALTER DATABASE "${database}" SET search_path = ${schema}, pg_catalog, public;
ALTER DATABASE "${database}" SET standard_conforming_strings = off;
ALTER DATABASE "${database}" SET exit_on_error = off;
ALTER DATABASE "${database}" SET "DateStyle" = 'German';
ALTER DATABASE "${database}" SET quote_all_identifiers = on;`;

/** Statement by which a database sets its own search path while it is restored. */
export const ownPathSql = `DO $$ BEGIN EXECUTE pg_catalog.format('ALTER DATABASE %I SET search_path = ${schema}, pg_catalog, public', pg_catalog.current_database()); END $$;`;

/** Shadows of PostgreSQL's own functions, operators and relations in a database of a test. */
export class Shadows {
  constructor(
    private readonly server: TestServer,
    private readonly database: string,
  ) {}

  /** Creates them as the database's owner, who needs no other right. */
  async plant(): Promise<void> {
    const owner = `SET ROLE "${this.database}_owner";`;
    await this.server.sql(this.database, owner + plantSql(this.database));
  }

  /** Names of those that a superuser has called since the last call; `[]` if none was. */
  async called(): Promise<string[]> {
    return this.server.takeFiles(mark);
  }
}
