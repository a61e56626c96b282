/** The database that the spying code belongs to, where it does nothing. */
export const spiedDatabase = "spied";

/** Part of every value that only the database it comes from may have. */
export const rawValue = "canary";

const isHome = `pg_catalog.current_database() = '${spiedDatabase}'`;

/** A function of the owner that writes down what it is given, and what the session knows. */
const spy = (name: string, result: string, returned: string): string =>
  `CREATE FUNCTION public.${name}(x text) RETURNS ${result} LANGUAGE plpgsql IMMUTABLE AS $f$
     BEGIN PERFORM public.note('${name} ', x); RETURN ${returned}; END $f$;`;

/** SQL with which PostgreSQL's own functions write down the key of the masks and a value. */
const ownNote = (value: string): string =>
  `pg_catalog.lo_from_bytea(0, pg_catalog.convert_to(pg_catalog.concat('own ', ${value}, ' ', pg_catalog.current_setting('stagecraft.mask_outer', true)), 'UTF8')) IS NOT NULL`;

/**
 * A database whose owner put code wherever PostgreSQL runs some when rows are written. It writes down its argument, the
 * parameters that hold the key of the masks, and the emails of all users: into a table, a comment and a large object.
 */
export const spyingSql = `
  CREATE TABLE public.users (id int, email text);
  CREATE FUNCTION public.note(who text, x text) RETURNS void LANGUAGE plpgsql AS $f$
  DECLARE seen text; emails text;
  BEGIN
    IF ${isHome} THEN RETURN; END IF;
    -- While an index of the table is built, it cannot be read.
    BEGIN SELECT pg_catalog.string_agg(email, ' ') INTO emails FROM public.users; EXCEPTION WHEN OTHERS THEN NULL; END;
    seen := pg_catalog.concat_ws(' ', who, x, emails,
      (SELECT pg_catalog.string_agg(pg_catalog.current_setting('stagecraft.mask_' || purpose, true), ' ')
       FROM pg_catalog.unnest(ARRAY['outer', 'hash', 'email', 'name', 'phone', 'shift', 'noise', 'number']) purpose));
    BEGIN
      -- Not a table of the dump, whose rows are counted.
      CREATE TABLE IF NOT EXISTS public.noted (who text, what text);
      INSERT INTO public.noted VALUES (who, seen);
      EXECUTE pg_catalog.format('COMMENT ON TABLE public.noted IS %L', seen);
    EXCEPTION WHEN OTHERS THEN NULL; END;
    BEGIN PERFORM pg_catalog.lo_from_bytea(0, pg_catalog.convert_to(seen, 'UTF8')); EXCEPTION WHEN OTHERS THEN NULL; END;
  END $f$;
  ${spy("by_check", "boolean", "true")} ${spy("by_domain", "boolean", "true")} ${spy("by_generated", "text", "pg_catalog.length(x)::text")}
  ${spy("by_index", "text", "x")} ${spy("by_predicate", "boolean", "true")} ${spy("by_default", "text", "x")}
  ${spy("by_policy", "boolean", "true")} ${spy("by_view", "text", "x")} ${spy("by_operator", "boolean", "true")} ${spy("by_unique", "text", "x")}
  CREATE FUNCTION public.same(x text, y text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT public.by_operator(x)';
  CREATE OPERATOR public.=== (LEFTARG = text, RIGHTARG = text, FUNCTION = public.same);
  CREATE FUNCTION public.by_trigger() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN PERFORM public.note('by_trigger', NEW.id::text); RETURN NEW; END $f$;
  CREATE DOMAIN public.address AS text CONSTRAINT address_ok CHECK (public.by_domain(VALUE)) CONSTRAINT address_own CHECK (${isHome} OR ${ownNote("VALUE")});
  COMMENT ON CONSTRAINT address_ok ON DOMAIN public.address IS 'an address';
  ALTER TABLE public.users ADD PRIMARY KEY (id), ADD CONSTRAINT spy CHECK (public.by_check(email)),
    ADD CONSTRAINT spy_own CHECK (${isHome} OR ${ownNote("email")}), ADD CONSTRAINT spy_operator CHECK (email OPERATOR(public.===) 'x'),
    ADD CONSTRAINT late CHECK (public.by_check(email)) NOT VALID,
    ADD signed text DEFAULT public.by_default('x'), ADD made text NOT NULL GENERATED ALWAYS AS (public.by_generated(email)) STORED,
    ADD host text GENERATED ALWAYS AS (pg_catalog.split_part(email, '@', 2)) STORED, ADD address public.address, ADD more public.address[];
  COMMENT ON CONSTRAINT spy ON public.users IS 'it''s a spy';
  CREATE INDEX ON public.users (public.by_index(email)) WHERE public.by_predicate(email);
  CREATE UNIQUE INDEX users_email ON public.users (public.by_unique(email));
  CREATE TRIGGER spy BEFORE INSERT OR UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.by_trigger();
  ALTER TABLE public.users ENABLE ALWAYS TRIGGER spy;
  CREATE RULE spy AS ON INSERT TO public.users WHERE public.by_policy(NEW.email) DO ALSO SELECT public.note('by_rule', NEW.email);
  ALTER TABLE public.users ENABLE ALWAYS RULE spy;
  ALTER TABLE public.users ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
  CREATE POLICY spy ON public.users USING (public.by_policy(email)) WITH CHECK (public.by_policy(email));
  CREATE TABLE public.base (id int, email text CONSTRAINT base_spy CHECK (public.by_check(email)), CONSTRAINT alone CHECK (public.by_check(email)) NO INHERIT);
  CREATE MATERIALIZED VIEW public.seen AS SELECT public.by_view(email) AS email FROM public.base;
  CREATE TABLE public.heir (kind text, CONSTRAINT heir_spy CHECK (public.by_check(email))) INHERITS (public.base);
  CREATE TABLE public.parts (id int, email text, CONSTRAINT parts_spy CHECK (public.by_check(email))) PARTITION BY RANGE (id);
  CREATE TABLE public.part PARTITION OF public.parts (CONSTRAINT part_spy CHECK (public.by_check(email))) FOR VALUES FROM (0) TO (100);
  INSERT INTO public.users (id, email, address, more)
    SELECT i, e, e, ARRAY[e]::public.address[] FROM (SELECT i, '${rawValue}-' || i || '@home.example' FROM generate_series(1, 20) i) AS rows (i, e);
  INSERT INTO public.base SELECT id, email FROM public.users;
  INSERT INTO public.heir SELECT id, email, 'k' FROM public.users;
  INSERT INTO public.parts SELECT id, email FROM public.users;
  REFRESH MATERIALIZED VIEW public.seen;`;

/** What of a database must be as in the dump, although it was suspended meanwhile. */
export const suspendedSql = `
  SELECT string_agg(line, E'\\n' ORDER BY line) FROM (
    SELECT concat_ws(' ', 'constraint', coalesce(nullif(conrelid, 0)::regclass::text, contypid::regtype::text), conname, convalidated, conislocal,
                     coninhcount, connoinherit, obj_description(oid, 'pg_constraint'), pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'trigger', tgrelid::regclass, tgname, tgenabled) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT concat_ws(' ', 'rule', ev_class::regclass, rulename, ev_enabled) FROM pg_rewrite WHERE ev_class >= 16384
    UNION ALL SELECT concat_ws(' ', 'column', attrelid::regclass, attname, attnotnull, attgenerated, pg_get_expr(adbin, adrelid))
      FROM pg_attribute LEFT JOIN pg_attrdef ON (adrelid, adnum) = (attrelid, attnum)
      WHERE attrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')) AND attnum > 0
    UNION ALL SELECT concat_ws(' ', 'index', indexrelid::regclass, indisvalid, indisready, pg_get_indexdef(indexrelid)) FROM pg_index WHERE indrelid >= 16384
      AND indrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'public'::regnamespace)
    UNION ALL SELECT concat_ws(' ', 'table', oid::regclass, relpersistence, relforcerowsecurity) FROM pg_class WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT concat_ws(' ', 'function', p.oid::regprocedure, has_function_privilege('public', p.oid, 'EXECUTE'),
                     has_function_privilege(p.proowner, p.oid, 'EXECUTE')) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace
  ) AS lines (line)`;
