import { parseArgs } from "node:util";

/** Amount of data to generate. Set exactly one of {@link size} and {@link hours}. */
export interface GenerateOptions {
  /** Approximate size of the database, e.g. `"2GB"`, `"500 MB"`; determines {@link hours}. At least 20 MB. */
  readonly size?: string;
  /** Number of timesheet rows, 100 to 100 million; determines everything else. */
  readonly hours?: number;
  /** Number of users. @default as many as book these hours working full time */
  readonly users?: number;
  /** Number of customers. @default 0.7 per user */
  readonly customers?: number;
  /** Number of projects. @default 4 per user */
  readonly projects?: number;
  /** Years of work before {@link until}, 1 to 5. @default 5 */
  readonly years?: number;
  /** The last day with data, `YYYY-MM-DD`. @default "2026-11-14" */
  readonly until?: string;
  /** The same seed generates the same data, another seed other data of the same size. @default 1 */
  readonly seed?: number;
}

interface Counts {
  readonly hours: number;
  readonly users: number;
  readonly customers: number;
  readonly projects: number;
  readonly seed: number;
  readonly until: string;
  /** First day with data, a Monday. */
  readonly monday: string;
  /** Monday to Friday from `monday` to `until`. */
  readonly workdays: number;
  /** Users who book on one day, with four rows each. */
  readonly usersADay: number;
  /** First day of the first month. */
  readonly firstMonth: string;
  /** Months touched. */
  readonly months: number;
}

const bytesPerHour = 389;
const bytesOfEmptyDatabase = 12_000_000;
const units: Readonly<Record<string, number>> = { MB: 1e6, GB: 1e9, MIB: 2 ** 20, GIB: 2 ** 30 };
const dayLength = 86_400_000;

/**
 * SQL that fills an empty database with the schema of `schema.sql`: one transaction, no psql commands.
 * The same options give the same rows on any PostgreSQL 17.
 * Throws an `Error` that lists everything wrong with the options.
 *
 * ```ts
 * await client.query(generateSql({ hours: 4000 }));
 * ```
 */
export function generateSql(options: GenerateOptions): string {
  const counts = countRows(options);
  return [
    begin(counts),
    people(counts),
    customers(counts),
    projects(counts),
    settings(counts),
    hours(counts),
    invoices(counts),
    files(counts),
    mailAndAudit(counts),
    finish(counts),
  ].join("\n");
}

function countRows(options: GenerateOptions): Counts {
  const problems: string[] = [];
  const whole = (name: string, value: number | undefined, least: number, most: number): void => {
    if (value === undefined || (Number.isInteger(value) && value >= least && value <= most)) return;
    problems.push(
      `${name} must be a whole number from ${String(least)} to ${String(most)}, got ${String(value)}`,
    );
  };
  whole("hours", options.hours, 100, 100_000_000);
  whole("users", options.users, 5, 100_000);
  whole("customers", options.customers, 5, 80_000);
  whole("projects", options.projects, 12, 900_000);
  whole("years", options.years, 1, 5);
  whole("seed", options.seed, 0, 1_000_000);
  if ((options.hours === undefined) === (options.size === undefined)) {
    problems.push('give exactly one of size (e.g. "2GB") and hours (e.g. 100000)');
  }
  const bytes = options.size === undefined ? undefined : parseSize(options.size);
  if (options.size !== undefined && (bytes === undefined || bytes < 20e6 || bytes > 50e9)) {
    problems.push(
      `size must be from 20MB to 50GB, e.g. "500MB" or "2GB", got ${JSON.stringify(options.size)}`,
    );
  }
  const until = options.until ?? "2026-11-14";
  const end = Date.parse(`${until}T00:00:00Z`);
  if (!/^\d{4}-\d\d-\d\d$/.test(until) || Number.isNaN(end)) {
    problems.push(`until must be a day like 2026-11-14, got ${JSON.stringify(until)}`);
  }
  if (problems.length > 0) throw new Error(`GenerateOptions: ${problems.join("; ")}`);

  const rows = options.hours ?? Math.round(((bytes ?? 0) - bytesOfEmptyDatabase) / bytesPerHour);
  const years = options.years ?? 5;
  const start = new Date(end);
  start.setUTCFullYear(start.getUTCFullYear() - years);
  const sinceMonday = (start.getUTCDay() + 6) % 7;
  const monday = new Date(start.getTime() - sinceMonday * dayLength);
  const days = Math.floor((end - monday.getTime()) / dayLength) + 1;
  const workdays = Math.floor(days / 7) * 5 + Math.min(5, days % 7);
  const last = new Date(end);
  const months =
    (last.getUTCFullYear() - monday.getUTCFullYear()) * 12 +
    (last.getUTCMonth() - monday.getUTCMonth()) +
    1;
  const usersADay = Math.ceil(Math.ceil(rows / 4) / workdays);
  const users = options.users ?? Math.max(5, Math.ceil(usersADay * 1.05));
  if (users < usersADay) {
    throw new Error(
      `GenerateOptions: users must be at least ${String(usersADay)} for ${String(rows)} hours in ${String(years)} years, got ${String(users)}`,
    );
  }
  return {
    hours: rows,
    users,
    customers: options.customers ?? Math.max(5, Math.ceil(users * 0.7)),
    projects: options.projects ?? Math.max(12, users * 4),
    seed: options.seed ?? 1,
    until,
    monday: isoDay(monday),
    workdays,
    usersADay,
    firstMonth: `${isoDay(monday).slice(0, 7)}-01`,
    months,
  };
}

function parseSize(text: string): number | undefined {
  const parts = /^(\d+(?:\.\d+)?) ?([KMG]i?B)$/i.exec(text);
  const unit = units[(parts?.[2] ?? "").toUpperCase()];
  return unit === undefined ? undefined : Number(parts?.[1]) * unit;
}

function isoDay(day: Date): string {
  return day.toISOString().slice(0, 10);
}

/** SQL text. Values are inserted without quoting: pass only numbers, validated days and results of {@link list}. */
function sql(text: TemplateStringsArray, ...values: readonly (string | number)[]): string {
  return String.raw(text, ...values);
}

function literal(value: string): string {
  const doubled = value.replaceAll("'", "''");
  if (!/[\\\n\r\t]/.test(value)) return `'${doubled}'`;
  const escaped = doubled
    .replaceAll("\\", "\\\\")
    .replaceAll("\n", "\\n")
    .replaceAll("\r", "\\r")
    .replaceAll("\t", "\\t");
  return `E'${escaped}'`;
}

function list(values: readonly string[]): string {
  return `ARRAY[${values.map(literal).join(", ")}]`;
}

/** A temporary function of a row's key: one of `values`, the same for the same key, salt and seed. */
function picker(name: string, salt: number, values: readonly string[]): string {
  return sql`CREATE FUNCTION pg_temp.${name}(key bigint) RETURNS text LANGUAGE sql IMMUTABLE
    RETURN (${list(values)})[1 + floor(pg_temp.u(key, ${salt}) * ${values.length})::integer];
`;
}

const firstNames = [
  ..."Anna Jürgen Zoë François Łukasz Søren Íñigo Björn Mária Renée Ayşe Đorđe Nina Peter Ülkü Jan Sofía".split(
    " ",
  ),
  ..."Chloé Ruth Tomáš Håkon Eva Günther Elif Noël Paula Max Inês Karl Grzegorz Leo Mia 美咲 Дмитрий Ελένη".split(
    " ",
  ),
  ..."Ingrid Omar Fatima Jonas Clara Émile Hanna Paul Agnès Tim Lina Oskar Greta Viktor Maja 伟 Ольга أمل".split(
    " ",
  ),
];
const lastNames = [
  ..."Müller Groß Weiß Núñez Čapek Öztürk Østergård Lefèvre O'Brien Nowak Schäfer Straßer Peña Jørgensen".split(
    " ",
  ),
  ..."Dvořák Kowalczyk Yılmaz Bäcker Köhler García Rossi Dubois Meyer Schmidt Fischer Weber Wagner Becker".split(
    " ",
  ),
  ..."Hoffmann Koch Bauer Richter Klein Wolf Neumann Schwarz Zimmermann Braun Krüger Hofmann Lange Krause".split(
    " ",
  ),
  ..."Lehmann Köster Maier Böhm 山田 王 Иванов Παπαδόπουλος".split(" "),
  "van der Berg",
  "da Conceição",
];
const companyNames = [
  ..."Alpina Boréal Česko Donau Élan Fjord Größe Hafen Isar Jökull Kiefer Łódź Möwe Ñandú Österreich Piñata".split(
    " ",
  ),
  ..."Quelle Rhône Straße Tórshavn Übersee Việt Weser Xylo Ypern Žižkov 漢字 Москва Αθήνα ACME".split(
    " ",
  ),
  "Stein & Söhne",
  'Zur "Alten Post"',
];
const companyKinds = [
  ..."GmbH AG KG S.A. S.r.l. Ltd Inc. Ltda. e.V. OÜ A/S".split(" "),
  "GmbH & Co. KG",
  "Sp. z o.o.",
  "株式会社",
];
const cities =
  "Köln Zürich Łódź Malmö São-Paulo Besançon Gdańsk Tromsø Málaga Wien Plzeň 東京 Αθήνα Leeds".split(
    " ",
  );
const streets =
  "Hauptstraße|Rue de l'Église|Königsallee|Calle Muñoz|Ørsteds Vej|Bahnhofstraße|High Street".split(
    "|",
  );
const areas = [
  ..."Webshop Intranet Migration Datenbank Schnittstelle Support Schulung Relaunch Audit Betrieb Rollout".split(
    " ",
  ),
  ..."Lagerverwaltung Buchhaltung Größenrechner Übersetzung Monitoring 分析 Prototyp Konzept Ausschreibung".split(
    " ",
  ),
];
const verbs = [
  ..."Analyse Abstimmung Umsetzung Test Review Fehlersuche Dokumentation Konzept Besprechung Korrektur".split(
    " ",
  ),
  ..."Implementation Deployment Refactoring Réunion Vérification Diseño Pruebas Планирование 会議 Support".split(
    " ",
  ),
];
const objects = [
  "of the order import",
  "for the monthly report",
  "der Rechnungsvorlage (§ 14 UStG)",
  "mit Kunde, remote",
  "wegen Größenangaben in der Maßtabelle",
  "de l'accès à la base de données",
  "del año fiscal; segunda vuelta",
  "of login & rights; see ticket",
  "der Suche: Umlaute, ß und é",
  "pull request, second round",
  "Telefonat mit Fr. Öztürk",
  "データ移行の準備",
  "performance of the search",
  "Vor-Ort-Termin 🚗",
  "50 % done, rest next week",
  "backup and restore test ✅",
];
/** Texts that have broken imports before; about one note in sixty. */
const oddNotes = [
  "",
  "\\N",
  "\\.",
  "line one\nline two\n\\.\nline four",
  "C:\\Temp\\neu\\hours.xls",
  "tab\tseparated\tvalues",
  "  spaces around  ",
  'it\'s "quoted"; -- not a comment /* either */',
  "$$ DROP TABLE hours; $$ $1 ${HOME} `id` %s",
  "NULL",
  "👩‍💻 + ☕ = 🎉",
  "漢字とかなカナ",
  "e\u0301 is not é",
  "שלום עולם",
  "zero\u200bwidth",
  "Windows\r\nline end",
  "\\connect postgres",
  "COPY public.hours (id) FROM stdin;",
];

function begin(c: Counts): string {
  return sql`-- ${c.hours} hours of ${c.users} users on ${c.projects} projects of ${c.customers} customers until ${c.until}; seed ${c.seed}
BEGIN;
SET LOCAL client_encoding = 'UTF8';
SET LOCAL client_min_messages = warning;
SET LOCAL standard_conforming_strings = on;
SET LOCAL search_path = public;
SET LOCAL TimeZone = 'UTC';
SET LOCAL IntervalStyle = 'postgres';
SET LOCAL DateStyle = 'ISO';
SET LOCAL synchronous_commit = off;
SET LOCAL work_mem = '128MB';
SET LOCAL maintenance_work_mem = '512MB';
SET LOCAL max_parallel_workers_per_gather = 0;

-- an even number from 0 up to 1 of a row's key; the salt distinguishes its uses
CREATE FUNCTION pg_temp.u(key bigint, salt bigint) RETURNS double precision LANGUAGE sql IMMUTABLE
    RETURN ((hashint8extended(key, ${c.seed} * 1000 + salt) >> 11) & 9007199254740991)::double precision / 9007199254740992::double precision;
CREATE FUNCTION pg_temp.upto(key bigint, salt bigint, most integer) RETURNS integer LANGUAGE sql IMMUTABLE
    RETURN 1 + floor(pg_temp.u(key, salt) * most)::integer;
CREATE FUNCTION pg_temp.noise(key bigint, bytes integer) RETURNS bytea LANGUAGE sql IMMUTABLE
    RETURN (SELECT substr(string_agg(sha512(int8send(hashint8extended(key * 65536 + k, ${c.seed}))), ''::bytea), 1, bytes)
            FROM generate_series(1, bytes / 64 + 1) k);
CREATE FUNCTION pg_temp.rate(user_id integer) RETURNS numeric LANGUAGE sql IMMUTABLE
    RETURN 60 + 5 * pg_temp.upto(user_id, 10, 18);
${picker("first_name", 1, firstNames)}${picker("last_name", 2, lastNames)}${picker("company", 3, companyNames)}${picker("company_kind", 4, companyKinds)}${picker("city", 5, cities)}${picker("street", 6, streets)}${picker("area", 7, areas)}${picker("verb", 8, verbs)}${picker("object", 9, objects)}${picker("odd_note", 11, oddNotes)}
ALTER TABLE users DISABLE TRIGGER USER;
ALTER TABLE projects DISABLE TRIGGER USER;
ALTER TABLE projects ENABLE TRIGGER projects_set_path;
ALTER TABLE invoices DISABLE TRIGGER USER;
ALTER TABLE hours DISABLE TRIGGER USER;
`;
}

function people(c: Counts): string {
  return sql`
INSERT INTO departments (id, name, cost_center) OVERRIDING SYSTEM VALUE VALUES
    (1, 'Geschäftsführung', 'CC-100'), (2, 'Software', 'CC-200'), (3, 'Datenbanken & Betrieb', 'CC-300'),
    (4, 'Buchhaltung', 'CC-400'), (5, 'Außendienst', 'CC-500');

INSERT INTO users (id, department_id, login, name, email, phone, password_hash, api_token, role, hourly_rate, weekly_time,
                   skills, preferences, hired_on, left_on, updated_at)
SELECT i, 1 + i % 5, 'user' || i, pg_temp.first_name(i) || ' ' || pg_temp.last_name(i), 'user' || i || '@timesheets.example',
    CASE WHEN i % 9 <> 0 THEN '+49 30 ' || (23125000 + i) END,
    CASE WHEN i % 7 <> 0 THEN '$2b$12$' || left(translate(encode(pg_temp.noise(i, 48), 'base64'), E'+=\n', './'), 53) END,
    CASE WHEN i % 4 = 0 THEN md5('token ' || i || ' ${c.seed}')::uuid END,
    CASE WHEN i = 1 THEN 'admin' WHEN i % 5 = 3 THEN 'accounting' WHEN i % 5 = 4 THEN 'außendienst' WHEN i % 11 = 0 THEN 'manager'
         ELSE 'consultant' END::user_role,
    pg_temp.rate(i), (ARRAY['40:00', '38:30', '32:00', '20:00'])[1 + (i % 13) / 4]::interval,
    CASE WHEN i % 6 = 0 THEN '{}' ELSE ARRAY[pg_temp.area(i + 1000000), 'SQL', 'say "hi", {ok}\'] END,
    jsonb_build_object('language', (ARRAY['de', 'en', 'fr', 'ja'])[pg_temp.upto(i, 12, 4)], 'mail', jsonb_build_object('weekly', i % 3 = 0),
                       'signature', E'Grüße\n' || pg_temp.first_name(i), 'theme', NULL),
    DATE '${c.monday}' - pg_temp.upto(i, 13, 2500), CASE WHEN i % 17 = 0 THEN DATE '${c.until}' + 16 END,
    TIMESTAMPTZ '${c.until} 18:00Z' - pg_temp.upto(i, 14, 40000000) * interval '1 second'
FROM generate_series(1, ${c.users}) i;
UPDATE departments SET head_id = id;
SET CONSTRAINTS ALL IMMEDIATE;

INSERT INTO sessions (token, user_id, address, agent, created_at, expires_at)
SELECT md5('session ' || i || ' ${c.seed}'), pg_temp.upto(i, 15, ${c.users}),
    CASE WHEN i % 5 = 0 THEN inet '2001:db8::' + i ELSE inet '192.0.2.0' + (i % 254) END,
    CASE WHEN i % 6 <> 0 THEN 'Mozilla/5.0 (X11; Linux x86_64; rv:1' || (20 + i % 20) || '.0) Gecko/20100101' END, at, at + interval '14 days'
FROM generate_series(1, ${Math.ceil(c.users / 3)}) i,
    LATERAL (SELECT TIMESTAMPTZ '${c.until} 18:00Z' - pg_temp.upto(i, 16, 1000000) * interval '1 second' AS at) t;

INSERT INTO "Time Off" (id, "User Id", "From", "To", "Reason / Grund")
SELECT i, pg_temp.upto(i, 17, ${c.users}), day, day + pg_temp.upto(i, 18, 14),
    (ARRAY['Urlaub', 'Krank; Attest liegt vor', 'Congés d''été', NULL, '休暇', 'Elternzeit 👶', 'Arzttermin
nachmittags'])[pg_temp.upto(i, 19, 7)]
FROM generate_series(1, ${c.users * 2}) i,
    LATERAL (SELECT DATE '${c.until}' - pg_temp.upto(i, 20, ${c.months * 30}) AS day) t;
`;
}

function customers(c: Counts): string {
  return sql`
INSERT INTO customers (id, number, name, address, vat_id, billing_email, currency, payment_days, credit_limit, note, created_at)
SELECT i, 10000 + i, pg_temp.company(i) || ' ' || pg_temp.area(i) || ' ' || pg_temp.company_kind(i),
    CASE WHEN i % 12 <> 0 THEN
        ROW(pg_temp.street(i) || ' ' || pg_temp.upto(i, 30, 180), lpad(pg_temp.upto(i, 31, 99999)::text, 5, '0'), pg_temp.city(i),
            (ARRAY['DE', 'AT', 'CH', 'FR', 'PL'])[pg_temp.upto(i, 32, 5)])::postal_address END,
    CASE WHEN i % 3 <> 0 THEN 'DE' || lpad(pg_temp.upto(i, 33, 999999999)::text, 9, '0') END,
    CASE WHEN i % 10 <> 0 THEN 'billing@customer' || i || '.example' END,
    (ARRAY['EUR', 'EUR', 'EUR', 'EUR', 'CHF', 'USD'])[pg_temp.upto(i, 34, 6)], (ARRAY[14, 30, 30, 60])[pg_temp.upto(i, 35, 4)],
    CASE WHEN i % 2 = 0 THEN 1000 * pg_temp.upto(i, 36, 250) END,
    CASE WHEN i % 8 = 0 THEN pg_temp.odd_note(i) WHEN i % 3 = 0 THEN pg_temp.verb(i) || ' ' || pg_temp.object(i) END,
    TIMESTAMPTZ '${c.monday} 08:00Z' - pg_temp.upto(i, 37, 90000000) * interval '1 second'
FROM generate_series(1, ${c.customers}) i;

INSERT INTO contacts (id, customer_id, name, email, phone, is_main)
SELECT i, 1 + (i - 1) % ${c.customers}, pg_temp.first_name(-i) || ' ' || pg_temp.last_name(-i),
    CASE WHEN i % 15 <> 0 THEN 'contact' || i || '@customer' || 1 + (i - 1) % ${c.customers} || '.example' END,
    CASE WHEN i % 4 <> 0 THEN '+49 221 ' || 4710000 + i END, i <= ${c.customers}
FROM generate_series(1, ${c.customers * 2}) i;

INSERT INTO contracts (id, customer_id, title, signed_on, scan, terms)
SELECT i, 1 + (i * 3 - 1) % ${c.customers}, 'Rahmenvertrag ' || i || ' „' || pg_temp.area(i) || '“', DATE '${c.monday}' - pg_temp.upto(i, 38, 900),
    CASE WHEN i <= ${scans(c)} THEN lo_from_bytea((500000 + i)::oid, '\x255044462d312e370a'::bytea || pg_temp.noise(-i, 9000 + 137 * (i % 90))) END,
    CASE WHEN i % 2 = 0 THEN xmlelement(name terms, xmlattributes('de' AS lang), xmlelement(name notice, i % 6 + 1), 'Gerichtsstand Köln & Bonn') END
FROM generate_series(1, ${contracts(c)}) i;
COMMENT ON LARGE OBJECT 500001 IS 'Rahmenvertrag 1; scanned, 300 dpi';
`;
}

function contracts(c: Counts): number {
  return Math.max(2, Math.ceil(c.customers / 3));
}

function scans(c: Counts): number {
  return Math.min(contracts(c), Math.max(2, Math.floor(c.hours / 50_000)));
}

function projects(c: Counts): string {
  const roots = Math.ceil(c.projects / 3);
  const withChildren = Math.ceil(c.projects * 0.7);
  return sql`
INSERT INTO projects (id, parent_id, path, customer_id, manager_id, code, name, description, status, rate, budget, tags,
                      starts_on, ends_on, properties, updated_at)
SELECT i, CASE WHEN i > ${withChildren} THEN pg_temp.upto(i, 40, ${withChildren}) WHEN i > ${roots} THEN pg_temp.upto(i, 40, ${roots}) END, '',
    pg_temp.upto(i, 41, ${c.customers}), CASE WHEN i % 9 <> 0 THEN pg_temp.upto(i, 42, ${c.users}) END,
    (ARRAY['WEB', 'DB', 'OPS', 'ÜB', 'R&D'])[pg_temp.upto(i, 43, 5)] || '-' || i, pg_temp.area(i) || ' ' || pg_temp.company(i + 7),
    CASE WHEN i % 3 <> 0 THEN pg_temp.verb(i) || ' ' || pg_temp.object(i) || E'.\n' || pg_temp.verb(i + 1) || ' ' || pg_temp.object(i + 1) || '.' ELSE '' END,
    (ARRAY['active', 'active', 'active', 'closed', 'on hold', 'draft'])[pg_temp.upto(i, 44, 6)]::project_status,
    CASE WHEN i % 5 = 0 THEN 70 + 10 * pg_temp.upto(i, 45, 12) END, CASE WHEN i % 4 <> 0 THEN 500 * pg_temp.upto(i, 46, 400) END,
    CASE WHEN i % 3 = 0 THEN ARRAY['wichtig', 'a,b', NULL] WHEN i % 3 = 1 THEN ARRAY[lower(pg_temp.area(i)), 'größe'] END,
    DATE '${c.monday}', CASE WHEN i % 5 = 0 THEN DATE '${c.until}' + pg_temp.upto(i, 47, 400) END,
    CASE WHEN i % 2 = 0 THEN jsonb_build_object('repository', 'https://git.timesheets.example/p/' || i, 'risk', pg_temp.upto(i, 48, 5),
        'path', 'C:\projects\' || i, 'stakeholders', jsonb_build_array(pg_temp.first_name(i), pg_temp.last_name(i))) END,
    TIMESTAMPTZ '${c.until} 18:00Z' - pg_temp.upto(i, 49, 40000000) * interval '1 second'
FROM generate_series(1, ${c.projects}) i ORDER BY i;

INSERT INTO project_members (project_id, user_id, rate, during)
SELECT i, 1 + (pg_temp.upto(i, 50, ${c.users}) + k) % ${c.users}, CASE WHEN (i + k) % 6 = 0 THEN 85 + k END,
    CASE WHEN i % 2 = 0 THEN daterange('${c.monday}', NULL) WHEN i % 5 = 0 THEN daterange('${c.monday}', '${c.until}', '[]') ELSE '(,)' END
FROM generate_series(1, ${c.projects}) i, generate_series(1, 3) k;

INSERT INTO tasks (id, project_id, title, description, assignee_id, estimate, done_at)
SELECT i, 1 + (i - 1) / 6, pg_temp.verb(i) || ' ' || pg_temp.object(i),
    CASE WHEN i % 40 = 0 THEN repeat(pg_temp.verb(i) || ' ' || pg_temp.object(i + 1) || E'.\n', 60) WHEN i % 3 = 0 THEN pg_temp.object(i + 2) END,
    CASE WHEN i % 4 <> 0 THEN pg_temp.upto(i, 51, ${c.users}) END, CASE WHEN i % 5 <> 0 THEN pg_temp.upto(i, 52, 80) * interval '30 minutes' END,
    CASE WHEN i % 3 = 1 THEN TIMESTAMPTZ '${c.until} 18:00Z' - pg_temp.upto(i, 53, 40000000) * interval '1.25 seconds' END
FROM generate_series(1, ${c.projects * 6}) i;
`;
}

function settings(c: Counts): string {
  return sql`
INSERT INTO holidays (country, day, name)
SELECT country, make_date(year, month, day), name
FROM generate_series(extract(year FROM DATE '${c.monday}')::integer, extract(year FROM DATE '${c.until}')::integer + 1) year,
    (VALUES ('DE', 1, 1, 'Neujahr'), ('DE', 5, 1, 'Tag der Arbeit'), ('DE', 10, 3, 'Tag der Deutschen Einheit'),
        ('FR', 7, 14, 'Fête nationale'), ('PL', 11, 11, 'Święto Niepodległości'), ('JP', 11, 3, '文化の日'), ('GR', 3, 25, 'Ευαγγελισμός'),
        ('RU', 1, 7, 'Рождество'), ('ES', 12, 8, 'Inmaculada Concepción'), ('IS', 6, 17, 'Þjóðhátíðardagurinn')) h (country, month, day, name);

INSERT INTO exchange_rates (currency, day, rate)
SELECT currency, day, round((base * (0.95 + 0.1 * pg_temp.u(extract(epoch FROM day)::bigint, 60)))::numeric, 8)
FROM (VALUES ('CHF', 0.95), ('USD', 1.1), ('PLN', 4.3)) r (currency, base),
    LATERAL (SELECT m::date AS day FROM generate_series(TIMESTAMP '${c.firstMonth}', TIMESTAMP '${c.until}', interval '1 month') m) d;

INSERT INTO fiscal_periods (name, period, closed)
SELECT 'FY ' || year || '/Q' || q, daterange(make_date(year, q * 3 - 2, 1), (make_date(year, q * 3 - 2, 1) + interval '3 months')::date),
    make_date(year, q * 3 - 2, 1) + 120 < DATE '${c.until}'
FROM generate_series(extract(year FROM DATE '${c.monday}')::integer, extract(year FROM DATE '${c.until}')::integer) year, generate_series(1, 4) q;

INSERT INTO settings (key, value, is_secret, is_protected, comment) VALUES
    ('base_url', 'https://timesheets.example/', false, true, 'Printed in mails'),
    ('company_name', 'Größe & Söhne Beratung GmbH', false, true, NULL),
    ('smtp_host', 'smtp.timesheets.example', false, true, 'Relay of production'),
    ('smtp_port', '587', false, false, NULL),
    ('smtp_user', 'timesheets', false, false, NULL),
    ('smtp_password', 'not-a-real-password-;''"\', true, false, E'Quotes and a backslash on purpose;\nsee ticket 1204'),
    ('payment_api_token', 'example-token-0000-production', true, false, 'Bank connection'),
    ('accounting_export_url', 'https://accounting.example/import?key=example', true, false, NULL),
    ('environment', 'production', false, true, 'Shown at the top of each page'),
    ('empty', '', false, false, ''),
    ('unset', NULL, false, false, NULL);

INSERT INTO scheduled_jobs (id, name, schedule, target, arguments, enabled, last_run_at, last_took) VALUES
    (1, 'send mail', '* * * * *', 'mail:send', '{"limit": 100}', true, '${c.until} 17:59:00Z', '00:00:00.734'),
    (2, 'close month', '30 4 3 * *', 'CALL close_month(...)', '{"month": "previous"}', true, '${c.until} 04:30:00Z', '00:12:07'),
    (3, 'refresh report', '10 2 * * *', 'REFRESH MATERIALIZED VIEW project_years', '{}', true, '${c.until} 02:10:00Z', '00:00:41.5'),
    (4, 'export to accounting', '0 5 * * 1-5', 'https://accounting.example/import', '{"format": "datev", "encoding": "UTF-8"}', true, '${c.until} 05:00:00Z', '1 day 02:03:04'),
    (5, 'old import', '0 0 31 2 *', 'C:\jobs\import.cmd', '{"note": "abgeschaltet; läuft nie"}', false, NULL, NULL);

INSERT INTO webhooks (id, url, secret, events, enabled) OVERRIDING SYSTEM VALUE VALUES
    (1, 'https://hooks.customer1.example/timesheets', 'example-secret-1', '{invoice.sent,invoice.paid}', true),
    (2, 'https://chat.timesheets.example/hooks/2', NULL, '{hours.missing}', true),
    (3, 'https://hooks.customer2.example/größe?a=1&b=2', 'example-secret-3', '{}', false);
`;
}

function hours(c: Counts): string {
  return sql`
-- keys to other tables and secondary indexes are created after the rows: in a third of the time
CREATE TEMPORARY TABLE later (step integer GENERATED ALWAYS AS IDENTITY, statement text NOT NULL) ON COMMIT DROP;
INSERT INTO later (statement)
SELECT replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
FROM pg_index i WHERE i.indrelid = 'hours'::regclass AND NOT i.indisprimary ORDER BY i.indexrelid;
INSERT INTO later (statement)
SELECT format('ALTER TABLE hours ADD CONSTRAINT %I %s', conname, pg_get_constraintdef(oid))
FROM pg_constraint WHERE conrelid = 'hours'::regclass AND contype = 'f' ORDER BY conname;
DO $$
DECLARE
    old record;
BEGIN
    FOR old IN SELECT conname FROM pg_constraint WHERE conrelid = 'hours'::regclass AND contype = 'f' LOOP
        EXECUTE format('ALTER TABLE hours DROP CONSTRAINT %I', old.conname);
    END LOOP;
    FOR old IN SELECT indexrelid::regclass AS name FROM pg_index WHERE indrelid = 'hours'::regclass AND NOT indisprimary LOOP
        EXECUTE format('DROP INDEX %s', old.name);
    END LOOP;
END
$$;

-- block: four rows of one person on one day; a person works on a few projects a quarter, old projects most
INSERT INTO hours (id, user_id, project_id, task_id, work_date, started_at, minutes, kind, billable, rate, note, invoice_line_id, created_at)
SELECT i, user_id, project_id, CASE WHEN i % 8 <> 0 THEN (project_id - 1) * 6 + pg_temp.upto(i, 70, 6) END, day,
    CASE WHEN i % 5 <> 0 THEN TIME '07:30' + part * interval '150 minutes' + pg_temp.upto(i, 71, 3) * interval '15 minutes' END,
    15 * pg_temp.upto(i, 72, 10), (ARRAY['work', 'work', 'work', 'work', 'work', 'meeting', 'travel', 'training'])[pg_temp.upto(i, 73, 8)]::work_kind,
    billable, pg_temp.rate(user_id),
    CASE WHEN i % 61 = 0 THEN pg_temp.odd_note(i) WHEN i % 3 = 0 THEN pg_temp.verb(i) || ' ' || pg_temp.object(i) || ' #' || pg_temp.upto(i, 74, 9999)
         ELSE pg_temp.verb(i) || ' ' || pg_temp.object(i) END,
    CASE WHEN billable AND month < ${c.months - 1} THEN (project_id - 1) * ${c.months} + month + 1 END,
    day + TIME '16:00' + pg_temp.upto(i, 75, 9000) * interval '1 second'
FROM (
    SELECT i, part, day, user_id, ((extract(year FROM day) - extract(year FROM DATE '${c.firstMonth}')) * 12
            + extract(month FROM day) - extract(month FROM DATE '${c.firstMonth}'))::integer AS month,
        1 + floor(${c.projects} * power(pg_temp.u(user_id * 10000 + (day - DATE '2000-01-01') / 91 * 5 + pg_temp.upto(i, 76, 5), 77), 1.6))::integer AS project_id,
        pg_temp.u(i, 78) > 0.18 AS billable
    FROM (
        SELECT i, (i - 1) % 4 AS part, (1 + ((i - 1) / 4) % ${c.users})::integer AS user_id,
            DATE '${c.monday}' + (workday / 5 * 7 + workday % 5)::integer AS day
        FROM generate_series(1, ${c.hours}::bigint) i, LATERAL (SELECT (i - 1) / 4 / ${c.usersADay} * ${c.workdays} / ${Math.ceil(Math.ceil(c.hours / 4) / c.usersADay)} AS workday OFFSET 0) w
    ) a OFFSET 0
) b;
`;
}

function invoices(c: Counts): string {
  return sql`
INSERT INTO invoices (id, customer_id, month, currency, sent_to, number, status, issued_on, due_on, note)
SELECT id, customer_id, month, currency, billing_email,
    CASE WHEN NOT newest THEN to_char(issued, 'YYYY') || '-' || lpad(row_number() OVER (PARTITION BY newest, extract(year FROM issued) ORDER BY month, customer_id)::text, 5, '0') END,
    CASE WHEN newest THEN 'open' WHEN id % 97 = 0 THEN 'cancelled' WHEN month < DATE '${c.until}' - 130 THEN 'paid' ELSE 'sent' END::invoice_status,
    CASE WHEN NOT newest THEN issued END, CASE WHEN NOT newest THEN issued + payment_days END, CASE WHEN id % 23 = 0 THEN pg_temp.odd_note(id) END
FROM (
    SELECT (c.id - 1) * ${c.months} + m.month + 1 AS id, c.id AS customer_id, c.currency, c.billing_email, c.payment_days,
        (DATE '${c.firstMonth}' + m.month * interval '1 month')::date AS month,
        (DATE '${c.firstMonth}' + (m.month + 1) * interval '1 month')::date + 2 AS issued, m.month = ${c.months - 2} AS newest
    FROM (SELECT DISTINCT p.customer_id, (l.id - 1) % ${c.months} AS month
          FROM (SELECT DISTINCT invoice_line_id AS id FROM hours WHERE invoice_line_id IS NOT NULL) l
          JOIN projects p ON p.id = 1 + (l.id - 1) / ${c.months}) m
    JOIN customers c ON c.id = m.customer_id
) i ORDER BY id;

INSERT INTO invoice_lines (id, invoice_id, line_no, project_id, description, quantity, unit_price, vat_rate)
SELECT l.id, (p.customer_id - 1) * ${c.months} + (l.id - 1) % ${c.months} + 1,
    row_number() OVER (PARTITION BY p.customer_id, (l.id - 1) % ${c.months} ORDER BY p.path), p.id, p.code || ': ' || p.name,
    l.quantity, round(l.amount / l.quantity, 4), CASE WHEN p.customer_id % 6 = 0 THEN 0 ELSE 19 END
FROM (SELECT invoice_line_id AS id, sum(hours) AS quantity, sum(amount) AS amount FROM hours WHERE invoice_line_id IS NOT NULL GROUP BY invoice_line_id) l
JOIN projects p ON p.id = 1 + (l.id - 1) / ${c.months} ORDER BY l.id;

UPDATE invoices i SET total = l.total
FROM (SELECT invoice_id, sum(net + vat) AS total FROM invoice_lines GROUP BY invoice_id) l WHERE l.invoice_id = i.id AND i.status <> 'open';

DO $$
DECLARE
    each record;
BEGIN
    FOR each IN SELECT statement FROM later ORDER BY step LOOP
        EXECUTE each.statement;
    END LOOP;
END
$$;
`;
}

function files(c: Counts): string {
  return sql`
INSERT INTO attachments (id, project_id, invoice_id, file_name, media_type, content, added_at)
SELECT i, CASE WHEN n.id IS NULL THEN pg_temp.upto(i, 80, ${c.projects}) END, n.id,
    (ARRAY['Angebot', 'Größenvergleich', 'Beleg', 'Protokoll', 'été 2025', '設計書'])[pg_temp.upto(i, 81, 6)] || ' ' || i || CASE WHEN i % 3 = 0 THEN '.png' ELSE '.pdf' END,
    CASE WHEN i % 3 = 0 THEN 'image/png' ELSE 'application/pdf' END,
    CASE WHEN i % 50 = 0 THEN '' WHEN i % 3 = 0 THEN '\x89504e470d0a1a0a'::bytea ELSE '\x255044462d312e370a'::bytea END
        || CASE WHEN i % 50 = 0 THEN '' ELSE pg_temp.noise(i, (300 + 48000 * power(pg_temp.u(i, 82), 3))::integer) END,
    TIMESTAMPTZ '${c.until} 18:00Z' - pg_temp.upto(i, 83, 40000000) * interval '1 second'
FROM generate_series(1, ${Math.max(12, Math.ceil(c.hours / 160))}) i
LEFT JOIN (SELECT id, row_number() OVER (ORDER BY id) AS position FROM invoices) n ON n.position * 2 = i;
`;
}

function mailAndAudit(c: Counts): string {
  return sql`
INSERT INTO mail_queue (id, recipient, copy_to, subject, body, status, attempts, send_after, sent_at, error)
SELECT i, CASE WHEN i % 3 = 0 THEN 'contact' || pg_temp.upto(i, 90, ${c.customers}) || '@customer' || pg_temp.upto(i, 90, ${c.customers}) || '.example'
               ELSE 'user' || pg_temp.upto(i, 90, ${c.users}) || '@timesheets.example' END,
    CASE WHEN i % 10 = 0 THEN ARRAY['"Groß, Zoë" <user1@timesheets.example>', 'user2@timesheets.example'] ELSE '{}' END,
    (ARRAY['Ihre Rechnung', 'Fehlende Stunden', 'Rappel : facture impayée', 'お知らせ', 'Re: Größe 🙂'])[pg_temp.upto(i, 91, 5)] || ' ' || i,
    'Guten Tag ' || pg_temp.last_name(i) || E',\n\n' || pg_temp.verb(i) || ' ' || pg_temp.object(i) || E'.\n\n\\o/\n-- \nSent by "Timesheets"; please don''t reply.',
    state::mail_status, CASE state WHEN 'waiting' THEN 0 WHEN 'sent' THEN 1 ELSE 5 END, at, CASE state WHEN 'sent' THEN at + interval '31.5 seconds' END,
    CASE state WHEN 'failed' THEN E'550 5.1.1 <user>: "Recipient rejected"\t(in reply to RCPT TO)' END
FROM (SELECT i, CASE WHEN i > ${mails(c)} * 0.97 THEN 'waiting' WHEN i % 40 = 0 THEN 'failed' ELSE 'sent' END AS state,
          TIMESTAMPTZ '${c.until} 18:00Z' - (${mails(c)} - i) * interval '1 second'
              * CASE WHEN i > ${mails(c)} * 0.97 THEN 5 ELSE ${(c.months * 2_500_000) / mails(c)} END AS at
      FROM generate_series(1, ${mails(c)}) i) m;

INSERT INTO audit.entries (id, at, actor, address, table_name, action, row_id, before, after)
SELECT i, TIMESTAMPTZ '${c.until} 18:00Z' - ((${audits(c)} - i) * ${(c.months * 2_500_000) / audits(c)}) * interval '1 second',
    CASE WHEN i % 20 <> 0 THEN pg_temp.upto(i, 95, ${c.users}) END, CASE WHEN i % 20 <> 0 THEN inet '192.0.2.0' + (i % 254)::integer END,
    'public.hours', CASE WHEN i % 12 = 0 THEN 'D' ELSE 'U' END, row_id,
    jsonb_build_object('id', row_id, 'minutes', 15 * pg_temp.upto(i, 97, 10), 'billable', true, 'note', pg_temp.verb(i) || ' ' || pg_temp.object(i)),
    CASE WHEN i % 12 <> 0 THEN jsonb_build_object('id', row_id, 'minutes', 15 * pg_temp.upto(i, 98, 10), 'billable', i % 3 = 0,
        'note', CASE WHEN i % 61 = 0 THEN pg_temp.odd_note(i) ELSE pg_temp.verb(i + 1) || ' ' || pg_temp.object(i + 1) END) END
FROM (SELECT i, pg_temp.upto(i, 96, ${c.hours}) AS row_id FROM generate_series(1, ${audits(c)}::bigint) i) a;
`;
}

function mails(c: Counts): number {
  return Math.max(20, Math.ceil(c.hours / 60));
}

function audits(c: Counts): number {
  return Math.ceil(c.hours / 7);
}

function finish(c: Counts): string {
  const counters: readonly (readonly [table: string, column: string])[] = [
    ["departments", "id"],
    ["users", "id"],
    ['"Time Off"', "id"],
    ["customers", "id"],
    ["contacts", "id"],
    ["contracts", "id"],
    ["projects", "id"],
    ["tasks", "id"],
    ["invoices", "id"],
    ["invoice_lines", "id"],
    ["hours", "id"],
    ["attachments", "id"],
    ["mail_queue", "id"],
    ["scheduled_jobs", "id"],
    ["webhooks", "id"],
    ["audit.entries", "id"],
  ];
  const setCounters = counters.map(
    ([table, column]) =>
      sql`    PERFORM setval(pg_get_serial_sequence('${table}', '${column}'), max(${column})) FROM ${table};`,
  );
  return sql`
DO $$
BEGIN
${setCounters.join("\n")}
    PERFORM setval('customer_number_seq', ${10_000 + c.customers});
END
$$;
ALTER TABLE users ENABLE TRIGGER USER;
ALTER TABLE projects ENABLE TRIGGER USER;
ALTER TABLE invoices ENABLE TRIGGER USER;
ALTER TABLE hours ENABLE TRIGGER USER;
REFRESH MATERIALIZED VIEW project_years;
SET LOCAL client_min_messages = error; -- of shared catalogs that only a superuser may analyze
ANALYZE;
COMMIT;
`;
}

const usage = `Prints SQL that fills an empty timesheets database (schema.sql).
  node generate.ts --size 2GB | psql -v ON_ERROR_STOP=1 timesheets
  --size SIZE | --hours N   how much (one of the two)
  --users N --customers N --projects N --years N --until YYYY-MM-DD --seed N
`;

function main(): void {
  const text = { type: "string" } as const;
  try {
    const { values } = parseArgs({
      options: {
        size: text,
        hours: text,
        users: text,
        customers: text,
        projects: text,
        years: text,
        until: text,
        seed: text,
        help: { type: "boolean" },
      },
    });
    if (values.help === true) {
      process.stdout.write(usage);
      return;
    }
    const { size, until } = values;
    const numbers = ["hours", "users", "customers", "projects", "years", "seed"] as const;
    process.stdout.write(
      generateSql({
        ...(size === undefined ? {} : { size }),
        ...(until === undefined ? {} : { until }),
        ...Object.fromEntries(
          numbers.flatMap((name) =>
            values[name] === undefined ? [] : [[name, Number(values[name])]],
          ),
        ),
      }),
    );
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
    process.exitCode = 2;
  }
}

// By name and not by require.main or import.meta: Node runs this file as a module, TypeScript compiles it as CommonJS.
if (/[\\/]generate\.[cm]?[jt]s$/.test(process.argv[1] ?? "")) main();
