/** A change by hand on the server of the database `shop`, and the sentence of the preview about it. */
export interface DriftCase {
  readonly sql: string;
  readonly sentence: string | RegExp;
}

/**
 * Changes that let somebody in, keep somebody out or stop the application. The users are ada (DbAdmin), bob (Tester) and henry
 * (HelpDesk); iris (HelpDesk) has been removed from `people`.
 */
export const driftCases: readonly DriftCase[] = [
  {
    sql: "ALTER ROLE shop PASSWORD 'changed-by-hand-123'",
    sentence: "role shop has a password that up did not set; up corrects it",
  },
  {
    sql: "ALTER ROLE shop_readonly PASSWORD NULL",
    sentence: "role shop_readonly has no password; up corrects it",
  },
  {
    sql: "ALTER ROLE shop SET search_path = nowhere",
    sentence: "role shop has a setting of search_path; up corrects it",
  },
  {
    sql: "ALTER ROLE shop SET statement_timeout = '1ms'",
    sentence: "role shop has a setting of statement_timeout; up corrects it",
  },
  {
    sql: "ALTER DATABASE shop SET default_transaction_read_only = on",
    sentence:
      "database shop sets default_transaction_read_only = on, so that nobody can write to it; up corrects it",
  },
  {
    sql: "ALTER DATABASE shop SET lock_timeout = '1ms'",
    sentence:
      "database shop sets lock_timeout = 1ms, with which the application cannot work; up corrects it",
  },
  {
    sql: "ALTER DATABASE shop SET role = 'shop_owner'",
    sentence:
      "database shop sets role = shop_owner, so that sessions begin with the rights of another role; up corrects it",
  },
  {
    sql: "ALTER DATABASE shop CONNECTION LIMIT 0",
    sentence: "database shop has a connection limit of 0; up corrects it",
  },
  {
    sql: "ALTER ROLE shop_readonly IN DATABASE shop SET default_transaction_read_only = off",
    sentence:
      "role shop_readonly has a setting of default_transaction_read_only in database shop; up corrects it",
  },
  {
    sql: "CREATE ROLE mallory LOGIN PASSWORD 'x12345678'; GRANT shop_owner TO mallory",
    sentence: "role shop_owner has the member mallory, which is not declared; up corrects it",
  },
  {
    sql: "GRANT CONNECT ON DATABASE shop TO mallory",
    sentence:
      /^privileges in shop differ from the declared ones: .*mallory also has CONNECT on database shop/,
  },
  {
    sql: "GRANT stagecraft_dbadmin TO bob",
    sentence: "role bob is a member of stagecraft_dbadmin; up corrects it",
  },
  {
    sql: "GRANT shop_owner TO stagecraft_tester",
    sentence: "role stagecraft_tester is a member of shop_owner; up corrects it",
  },
  {
    sql: "REVOKE pg_monitor FROM stagecraft_monitor",
    sentence: "role stagecraft_monitor is not a member of pg_monitor; up corrects it",
  },
  {
    sql: "REVOKE stagecraft_helpdesk FROM henry",
    sentence: "role henry is not a member of stagecraft_helpdesk; up corrects it",
  },
  {
    sql: "ALTER ROLE iris LOGIN PASSWORD 'x12345678'",
    sentence: "role iris may log in but is not listed in people; up corrects it",
  },
  {
    sql: "GRANT stagecraft_dbadmin TO iris",
    sentence: "role iris is a member of stagecraft_dbadmin; up corrects it",
  },
  {
    sql: "ALTER DATABASE shop OWNER TO shop",
    sentence: "database shop belongs to shop instead of shop_owner; up corrects it",
  },
  {
    sql: "ALTER SCHEMA public OWNER TO shop; ALTER TABLE public.t OWNER TO shop",
    sentence:
      "database shop has 2 objects of shop that should belong to shop_owner; up corrects it",
  },
];
