-- Everything in a database as lines of JSON: ["table app.a", "options", "{fillfactor=70}"]. Objects are called what
-- pg_identify_object calls them; the members of extensions are only named.
SET search_path = '';
SET extra_float_digits = 3;
SET TimeZone = 'UTC';
SET DateStyle = 'ISO';
CREATE FUNCTION pg_temp.grants(acl aclitem[]) RETURNS text LANGUAGE sql AS $$
  SELECT pg_catalog.string_agg(privilege_type || CASE WHEN is_grantable THEN '*' ELSE '' END, ' ' ORDER BY privilege_type)
  FROM pg_catalog.aclexplode(acl) WHERE grantee = (SELECT oid FROM pg_catalog.pg_roles WHERE rolname = 'corpus_reader') $$;
CREATE FUNCTION pg_temp.owned_by(owner oid) RETURNS text LANGUAGE sql AS $$ SELECT pg_catalog.pg_get_userbyid(owner) $$;

CREATE TEMPORARY TABLE objects AS
SELECT classid, objid, i.type, i.identity, i.type || ' ' || i.identity AS name,
  EXISTS (SELECT FROM pg_catalog.pg_depend d WHERE d.classid = o.classid AND d.objid = o.objid AND d.deptype = 'e') AS is_member
FROM (
  SELECT 'pg_catalog.pg_namespace'::regclass AS classid, oid AS objid, oid AS schema FROM pg_catalog.pg_namespace
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, oid, relnamespace FROM pg_catalog.pg_class
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, oid, typnamespace FROM pg_catalog.pg_type
  UNION ALL SELECT 'pg_catalog.pg_proc'::regclass, oid, pronamespace FROM pg_catalog.pg_proc
  UNION ALL SELECT 'pg_catalog.pg_operator'::regclass, oid, oprnamespace FROM pg_catalog.pg_operator
  UNION ALL SELECT 'pg_catalog.pg_opclass'::regclass, oid, opcnamespace FROM pg_catalog.pg_opclass
  UNION ALL SELECT 'pg_catalog.pg_opfamily'::regclass, oid, opfnamespace FROM pg_catalog.pg_opfamily
  UNION ALL SELECT 'pg_catalog.pg_collation'::regclass, oid, collnamespace FROM pg_catalog.pg_collation
  UNION ALL SELECT 'pg_catalog.pg_conversion'::regclass, oid, connamespace FROM pg_catalog.pg_conversion
  UNION ALL SELECT 'pg_catalog.pg_constraint'::regclass, oid, connamespace FROM pg_catalog.pg_constraint
  UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::regclass, oid, stxnamespace FROM pg_catalog.pg_statistic_ext
  UNION ALL SELECT 'pg_catalog.pg_ts_config'::regclass, oid, cfgnamespace FROM pg_catalog.pg_ts_config
  UNION ALL SELECT 'pg_catalog.pg_ts_dict'::regclass, oid, dictnamespace FROM pg_catalog.pg_ts_dict
  UNION ALL SELECT 'pg_catalog.pg_ts_parser'::regclass, oid, prsnamespace FROM pg_catalog.pg_ts_parser
  UNION ALL SELECT 'pg_catalog.pg_ts_template'::regclass, oid, tmplnamespace FROM pg_catalog.pg_ts_template
  UNION ALL SELECT 'pg_catalog.pg_trigger'::regclass, t.oid, c.relnamespace FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = tgrelid WHERE NOT tgisinternal
  UNION ALL SELECT 'pg_catalog.pg_rewrite'::regclass, r.oid, c.relnamespace FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = ev_class
  UNION ALL SELECT 'pg_catalog.pg_policy'::regclass, p.oid, c.relnamespace FROM pg_catalog.pg_policy p JOIN pg_catalog.pg_class c ON c.oid = polrelid
  UNION ALL SELECT 'pg_catalog.pg_attrdef'::regclass, d.oid, c.relnamespace FROM pg_catalog.pg_attrdef d JOIN pg_catalog.pg_class c ON c.oid = adrelid
  -- Of no schema; what initdb made has smaller numbers.
  UNION ALL SELECT 'pg_catalog.pg_cast'::regclass, oid, NULL FROM pg_catalog.pg_cast WHERE oid >= 16384
  UNION ALL SELECT 'pg_catalog.pg_language'::regclass, oid, NULL FROM pg_catalog.pg_language WHERE oid >= 16384
  UNION ALL SELECT 'pg_catalog.pg_transform'::regclass, oid, NULL FROM pg_catalog.pg_transform WHERE oid >= 16384
  UNION ALL SELECT 'pg_catalog.pg_am'::regclass, oid, NULL FROM pg_catalog.pg_am WHERE oid >= 16384
  UNION ALL SELECT 'pg_catalog.pg_amop'::regclass, oid, NULL FROM pg_catalog.pg_amop WHERE oid >= 16384
  UNION ALL SELECT 'pg_catalog.pg_amproc'::regclass, oid, NULL FROM pg_catalog.pg_amproc WHERE oid >= 16384
  UNION ALL SELECT 'pg_catalog.pg_extension'::regclass, oid, NULL FROM pg_catalog.pg_extension
  UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass, oid, NULL FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL SELECT 'pg_catalog.pg_foreign_server'::regclass, oid, NULL FROM pg_catalog.pg_foreign_server
  UNION ALL SELECT 'pg_catalog.pg_user_mapping'::regclass, oid, NULL FROM pg_catalog.pg_user_mapping
  UNION ALL SELECT 'pg_catalog.pg_event_trigger'::regclass, oid, NULL FROM pg_catalog.pg_event_trigger
  UNION ALL SELECT 'pg_catalog.pg_publication'::regclass, oid, NULL FROM pg_catalog.pg_publication
  UNION ALL SELECT 'pg_catalog.pg_publication_rel'::regclass, oid, NULL FROM pg_catalog.pg_publication_rel
  UNION ALL SELECT 'pg_catalog.pg_publication_namespace'::regclass, oid, NULL FROM pg_catalog.pg_publication_namespace
  UNION ALL SELECT 'pg_catalog.pg_subscription'::regclass, s.oid, NULL FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = subdbid WHERE datname = pg_catalog.current_database()
  UNION ALL SELECT 'pg_catalog.pg_default_acl'::regclass, oid, NULL FROM pg_catalog.pg_default_acl
  UNION ALL SELECT 'pg_catalog.pg_largeobject'::regclass, oid, NULL FROM pg_catalog.pg_largeobject_metadata
) o CROSS JOIN pg_catalog.pg_identify_object(classid, objid, 0) i
WHERE o.schema IS NULL OR (SELECT nspname !~ '^pg_' AND nspname <> 'information_schema' FROM pg_catalog.pg_namespace n WHERE n.oid = o.schema);

CREATE TEMPORARY VIEW own AS SELECT * FROM objects WHERE NOT is_member;

CREATE TEMPORARY TABLE columns AS
SELECT o.name || ' column ' || pg_catalog.quote_ident(attname) AS name,
  attrelid, attnum, atttypid, atttypmod, attnotnull, attidentity, attgenerated, attcollation, attstorage, attcompression, attstattarget, attoptions, attfdwoptions, attislocal, attinhcount, attndims, attacl
FROM own o JOIN pg_catalog.pg_class c ON o.classid = 'pg_catalog.pg_class'::regclass AND c.oid = o.objid
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped;

CREATE TEMPORARY TABLE facts (object text, fact text, value text);

INSERT INTO facts SELECT name, 'is', CASE WHEN is_member THEN 'a member of an extension' ELSE 'there' END FROM objects;
INSERT INTO facts SELECT o.name || coalesce(' column ' || pg_catalog.quote_ident(a.attname), CASE WHEN d.objsubid <> 0 THEN ' part ' || d.objsubid END, ''), 'comment', d.description
  FROM objects o JOIN pg_catalog.pg_description d ON d.classoid = o.classid AND d.objoid = o.objid
  LEFT JOIN pg_catalog.pg_attribute a ON d.classoid = 'pg_catalog.pg_class'::regclass AND a.attrelid = d.objoid AND a.attnum = d.objsubid AND d.objsubid <> 0;
INSERT INTO facts SELECT 'database', 'comment', pg_catalog.shobj_description(oid, 'pg_database') FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database();
INSERT INTO facts SELECT 'database', 'setting', setting FROM pg_catalog.pg_db_role_setting s JOIN pg_catalog.pg_database d ON d.oid = setdatabase AND datname = pg_catalog.current_database(), pg_catalog.unnest(setconfig) setting WHERE setrole = 0 AND setting NOT LIKE 'stagecraft.%';
INSERT INTO facts SELECT 'database', 'encoding and locale', pg_catalog.concat_ws(' ', d.encoding, datlocprovider, datcollate, datctype) FROM pg_catalog.pg_database d WHERE datname = pg_catalog.current_database();

-- Owners and grants.
INSERT INTO facts SELECT name, 'owner', pg_temp.owned_by(owner) FROM own JOIN (
  SELECT 'pg_catalog.pg_namespace'::regclass AS classid, oid AS objid, nspowner AS owner FROM pg_catalog.pg_namespace
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, oid, relowner FROM pg_catalog.pg_class
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, oid, typowner FROM pg_catalog.pg_type
  UNION ALL SELECT 'pg_catalog.pg_proc'::regclass, oid, proowner FROM pg_catalog.pg_proc
  UNION ALL SELECT 'pg_catalog.pg_operator'::regclass, oid, oprowner FROM pg_catalog.pg_operator
  UNION ALL SELECT 'pg_catalog.pg_collation'::regclass, oid, collowner FROM pg_catalog.pg_collation
  UNION ALL SELECT 'pg_catalog.pg_conversion'::regclass, oid, conowner FROM pg_catalog.pg_conversion
  UNION ALL SELECT 'pg_catalog.pg_statistic_ext'::regclass, oid, stxowner FROM pg_catalog.pg_statistic_ext
  UNION ALL SELECT 'pg_catalog.pg_ts_config'::regclass, oid, cfgowner FROM pg_catalog.pg_ts_config
  UNION ALL SELECT 'pg_catalog.pg_ts_dict'::regclass, oid, dictowner FROM pg_catalog.pg_ts_dict
  UNION ALL SELECT 'pg_catalog.pg_foreign_server'::regclass, oid, srvowner FROM pg_catalog.pg_foreign_server
  UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass, oid, fdwowner FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL SELECT 'pg_catalog.pg_event_trigger'::regclass, oid, evtowner FROM pg_catalog.pg_event_trigger
  UNION ALL SELECT 'pg_catalog.pg_publication'::regclass, oid, pubowner FROM pg_catalog.pg_publication
  UNION ALL SELECT 'pg_catalog.pg_largeobject'::regclass, oid, lomowner FROM pg_catalog.pg_largeobject_metadata
) owners USING (classid, objid);
INSERT INTO facts SELECT name, 'grants', pg_temp.grants(acl) FROM objects JOIN (
  SELECT 'pg_catalog.pg_namespace'::regclass AS classid, oid AS objid, nspacl AS acl FROM pg_catalog.pg_namespace
  UNION ALL SELECT 'pg_catalog.pg_class'::regclass, oid, relacl FROM pg_catalog.pg_class
  UNION ALL SELECT 'pg_catalog.pg_type'::regclass, oid, typacl FROM pg_catalog.pg_type
  UNION ALL SELECT 'pg_catalog.pg_proc'::regclass, oid, proacl FROM pg_catalog.pg_proc
  UNION ALL SELECT 'pg_catalog.pg_language'::regclass, oid, lanacl FROM pg_catalog.pg_language
  UNION ALL SELECT 'pg_catalog.pg_foreign_server'::regclass, oid, srvacl FROM pg_catalog.pg_foreign_server
  UNION ALL SELECT 'pg_catalog.pg_foreign_data_wrapper'::regclass, oid, fdwacl FROM pg_catalog.pg_foreign_data_wrapper
  UNION ALL SELECT 'pg_catalog.pg_largeobject'::regclass, oid, lomacl FROM pg_catalog.pg_largeobject_metadata
  UNION ALL SELECT 'pg_catalog.pg_default_acl'::regclass, oid, defaclacl FROM pg_catalog.pg_default_acl
) acls USING (classid, objid) WHERE pg_temp.grants(acl) IS NOT NULL;
INSERT INTO facts SELECT name, 'grants', pg_temp.grants(attacl) FROM columns WHERE pg_temp.grants(attacl) IS NOT NULL;

-- Relations and their columns. Debian's build notes a version of each column among its options (pg_attver).
INSERT INTO facts SELECT name, fact, value FROM own JOIN pg_catalog.pg_class c ON own.classid = 'pg_catalog.pg_class'::regclass AND c.oid = objid CROSS JOIN LATERAL (VALUES
  ('kind', pg_catalog.concat_ws(' ', relkind, relpersistence)), ('options', reloptions::text),
  ('options of TOAST', (SELECT t.reloptions::text FROM pg_catalog.pg_class t WHERE t.oid = c.reltoastrelid)),
  ('access method', (SELECT amname FROM pg_catalog.pg_am WHERE oid = relam)),
  ('row security', CASE WHEN relrowsecurity OR relforcerowsecurity THEN pg_catalog.concat_ws(' ', relrowsecurity, relforcerowsecurity) END),
  ('replica identity', NULLIF(relreplident, 'd')::text), ('partition', pg_catalog.pg_get_expr(relpartbound, c.oid)),
  ('partition key', CASE WHEN relkind = 'p' THEN pg_catalog.pg_get_partkeydef(c.oid) END),
  ('of type', CASE WHEN reloftype <> 0 THEN pg_catalog.format_type(reloftype, NULL) END),
  ('is populated', CASE WHEN relkind = 'm' THEN relispopulated::text END),
  ('tablespace', (SELECT spcname FROM pg_catalog.pg_tablespace WHERE oid = reltablespace)),
  ('definition', CASE WHEN relkind IN ('v', 'm') THEN pg_catalog.pg_get_viewdef(c.oid) WHEN relkind IN ('i', 'I') THEN pg_catalog.pg_get_indexdef(c.oid) END),
  ('inherits', (SELECT pg_catalog.string_agg(inhparent::regclass::text, ', ' ORDER BY inhseqno) FROM pg_catalog.pg_inherits WHERE inhrelid = c.oid)),
  ('columns in order', (SELECT pg_catalog.string_agg(attname, ', ' ORDER BY attnum) FROM pg_catalog.pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped)),
  ('index state', (SELECT pg_catalog.concat_ws(' ', indisvalid, indisready, indisclustered, indisreplident, indimmediate, indnullsnotdistinct) FROM pg_catalog.pg_index WHERE indexrelid = c.oid)),
  ('foreign table', (SELECT pg_catalog.concat_ws(' ', srvname, ftoptions) FROM pg_catalog.pg_foreign_table JOIN pg_catalog.pg_foreign_server s ON s.oid = ftserver WHERE ftrelid = c.oid)),
  ('sequence', (SELECT pg_catalog.concat_ws(' ', pg_catalog.format_type(seqtypid, NULL), seqstart, seqincrement, seqmax, seqmin, seqcache, seqcycle) FROM pg_catalog.pg_sequence WHERE seqrelid = c.oid)),
  ('sequence of', CASE WHEN relkind = 'S' THEN (SELECT pg_catalog.concat_ws(' ', d.deptype, (pg_catalog.pg_identify_object(refclassid, refobjid, refobjsubid)).identity) FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = c.oid AND deptype IN ('a', 'i') AND refclassid = 'pg_catalog.pg_class'::regclass) END)
) f (fact, value) WHERE value IS NOT NULL;
INSERT INTO facts SELECT name, fact, value FROM columns CROSS JOIN LATERAL (VALUES
  ('type', pg_catalog.format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' NOT NULL' ELSE '' END),
  ('default', (SELECT pg_catalog.pg_get_expr(adbin, adrelid) FROM pg_catalog.pg_attrdef WHERE adrelid = attrelid AND adnum = attnum)),
  ('generation', NULLIF(pg_catalog.concat(attidentity, attgenerated), '')), ('collation', NULLIF(attcollation, 0)::regcollation::text),
  ('storage', pg_catalog.concat_ws(' ', attstorage, attcompression)), ('statistics', attstattarget::text), ('options', (SELECT pg_catalog.string_agg(o, ' ' ORDER BY o) FROM pg_catalog.unnest(attoptions) o WHERE o NOT LIKE 'pg_attver=%')), ('foreign', attfdwoptions::text),
  ('inheritance', pg_catalog.concat_ws(' ', attislocal, attinhcount)), ('dimensions', CASE WHEN attndims > 0 THEN 'an array' END)
) f (fact, value) WHERE value IS NOT NULL;

-- The parts of relations, and functions, types and the others.
INSERT INTO facts SELECT name, fact, value FROM own JOIN pg_catalog.pg_constraint c ON own.classid = 'pg_catalog.pg_constraint'::regclass AND c.oid = objid CROSS JOIN LATERAL (VALUES
  ('definition', pg_catalog.pg_get_constraintdef(c.oid)), ('inheritance', pg_catalog.concat_ws(' ', conislocal, coninhcount, connoinherit))) f (fact, value);
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', tgenabled, pg_catalog.pg_get_triggerdef(oid)) FROM own JOIN pg_catalog.pg_trigger ON classid = 'pg_catalog.pg_trigger'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', ev_enabled, pg_catalog.pg_get_ruledef(oid)) FROM own JOIN pg_catalog.pg_rewrite ON classid = 'pg_catalog.pg_rewrite'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' | ', polcmd, polpermissive, ARRAY(SELECT coalesce(rolname, 'public') FROM pg_catalog.unnest(polroles) r LEFT JOIN pg_catalog.pg_roles p ON p.oid = r ORDER BY 1), pg_catalog.pg_get_expr(polqual, polrelid), pg_catalog.pg_get_expr(polwithcheck, polrelid)) FROM own JOIN pg_catalog.pg_policy ON classid = 'pg_catalog.pg_policy'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', pg_catalog.pg_get_statisticsobjdef(oid), stxstattarget) FROM own JOIN pg_catalog.pg_statistic_ext ON classid = 'pg_catalog.pg_statistic_ext'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', CASE prokind WHEN 'a' THEN (SELECT (pg_catalog.to_jsonb(a) - 'aggfnoid' - 'aggsortop' || pg_catalog.jsonb_build_object('sort', aggsortop::regoperator, 'transition', aggtranstype::regtype, 'moving', aggmtranstype::regtype) - 'aggtranstype' - 'aggmtranstype')::text FROM pg_catalog.pg_aggregate a WHERE aggfnoid = p.oid) || proparallel::text ELSE pg_catalog.pg_get_functiondef(p.oid) END
  FROM own JOIN pg_catalog.pg_proc p ON classid = 'pg_catalog.pg_proc'::regclass AND p.oid = objid;
INSERT INTO facts SELECT name, fact, value FROM own JOIN pg_catalog.pg_type t ON own.classid = 'pg_catalog.pg_type'::regclass AND t.oid = objid CROSS JOIN LATERAL (VALUES
  ('kind', pg_catalog.concat_ws(' ', typtype, typcategory, typnotnull, pg_catalog.format_type(typbasetype, typtypmod))), ('default', typdefault), ('collation', NULLIF(typcollation, 0)::regcollation::text),
  ('labels', (SELECT pg_catalog.string_agg(pg_catalog.quote_literal(enumlabel), ' ' ORDER BY enumsortorder) FROM pg_catalog.pg_enum WHERE enumtypid = t.oid)),
  ('range', (SELECT pg_catalog.concat_ws(' ', rngsubtype::regtype, rngmultitypid::regtype, NULLIF(rngcollation, 0)::regcollation, rngcanonical, rngsubdiff, (SELECT opcname FROM pg_catalog.pg_opclass WHERE oid = rngsubopc)) FROM pg_catalog.pg_range WHERE rngtypid = t.oid))) f (fact, value) WHERE value IS NOT NULL;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', oprkind, oprcanmerge, oprcanhash, oprresult::regtype, oprcom::regoperator, oprnegate::regoperator, oprcode, oprrest, oprjoin) FROM own JOIN pg_catalog.pg_operator ON classid = 'pg_catalog.pg_operator'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', castcontext, castmethod, NULLIF(castfunc, 0)::regprocedure) FROM own JOIN pg_catalog.pg_cast ON classid = 'pg_catalog.pg_cast'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', (pg_catalog.to_jsonb(c) - 'oid' - 'collnamespace' - 'collowner')::text FROM own JOIN pg_catalog.pg_collation c ON classid = 'pg_catalog.pg_collation'::regclass AND c.oid = objid;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', conforencoding, contoencoding, conproc, condefault) FROM own JOIN pg_catalog.pg_conversion ON classid = 'pg_catalog.pg_conversion'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', dicttemplate, dictinitoption) FROM (SELECT own.name, tmplname AS dicttemplate, dictinitoption FROM own JOIN pg_catalog.pg_ts_dict d ON classid = 'pg_catalog.pg_ts_dict'::regclass AND d.oid = objid JOIN pg_catalog.pg_ts_template t ON t.oid = dicttemplate) d;
INSERT INTO facts SELECT name, 'mapping', (SELECT prsname FROM pg_catalog.pg_ts_parser p WHERE p.oid = cfgparser) || pg_catalog.string_agg(pg_catalog.concat(maptokentype, ':', mapdict::regdictionary), ' ' ORDER BY maptokentype, mapseqno)
  FROM own JOIN pg_catalog.pg_ts_config c ON classid = 'pg_catalog.pg_ts_config'::regclass AND c.oid = objid JOIN pg_catalog.pg_ts_config_map ON mapcfg = c.oid GROUP BY name, cfgparser;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat(extversion, ' in ', extnamespace::regnamespace) FROM own JOIN pg_catalog.pg_extension ON classid = 'pg_catalog.pg_extension'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', NULLIF(fdwhandler, 0)::regproc, NULLIF(fdwvalidator, 0)::regproc, fdwoptions) FROM own JOIN pg_catalog.pg_foreign_data_wrapper ON classid = 'pg_catalog.pg_foreign_data_wrapper'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', fdwname, srvtype, srvversion, srvoptions) FROM own JOIN pg_catalog.pg_foreign_server s ON classid = 'pg_catalog.pg_foreign_server'::regclass AND s.oid = objid JOIN pg_catalog.pg_foreign_data_wrapper w ON w.oid = srvfdw;
INSERT INTO facts SELECT name, 'options', umoptions::text FROM own JOIN pg_catalog.pg_user_mapping ON classid = 'pg_catalog.pg_user_mapping'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', evtevent, evtfoid::regproc, evtenabled, evttags) FROM own JOIN pg_catalog.pg_event_trigger ON classid = 'pg_catalog.pg_event_trigger'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', puballtables, pubinsert, pubupdate, pubdelete, pubtruncate, pubviaroot) FROM own JOIN pg_catalog.pg_publication ON classid = 'pg_catalog.pg_publication'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'definition', pg_catalog.concat_ws(' ', pg_catalog.pg_get_expr(prqual, prrelid), prattrs) FROM own JOIN pg_catalog.pg_publication_rel ON classid = 'pg_catalog.pg_publication_rel'::regclass AND oid = objid;
INSERT INTO facts SELECT name, 'contents', pg_catalog.md5(pg_catalog.lo_get(objid)) FROM own WHERE classid = 'pg_catalog.pg_largeobject'::regclass;

-- Rows (of a partitioned table, those of its partitions), and what sequences give next.
SELECT pg_catalog.format('INSERT INTO facts SELECT %L, ''rows'', pg_catalog.concat_ws('' '', pg_catalog.count(*), pg_catalog.md5(pg_catalog.string_agg(t::text, E''\n'' ORDER BY t::text COLLATE "C"))) FROM %s %s t', name, CASE relkind WHEN 'r' THEN 'ONLY' ELSE '' END, identity)
FROM own JOIN pg_catalog.pg_class c ON classid = 'pg_catalog.pg_class'::regclass AND c.oid = objid WHERE relkind IN ('r', 'p') OR (relkind = 'm' AND relispopulated) \gexec
SELECT pg_catalog.format('INSERT INTO facts SELECT %L, ''value'', pg_catalog.concat_ws('' '', last_value, is_called) FROM %s', name, identity)
FROM own JOIN pg_catalog.pg_class c ON classid = 'pg_catalog.pg_class'::regclass AND c.oid = objid WHERE relkind = 'S' \gexec

SELECT pg_catalog.json_build_array(object, fact, value) FROM facts ORDER BY object COLLATE "C", fact COLLATE "C", value COLLATE "C";
