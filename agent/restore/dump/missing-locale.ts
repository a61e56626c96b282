import type { Client } from "pg";
import { quoteLiteral } from "../../../model/base/sql";
import { messageOf } from "../../system/errors";

/**
 * The first locale in the options of CREATE DATABASE that the operating system of this server does not have, e.g.
 * `German_Germany.1252`, as dumps of a server on Windows have it; `undefined` if all are there, or it cannot be known.
 */
export async function missingLocale(
  client: Client,
  options: readonly string[],
): Promise<string | undefined> {
  const locales = options.flatMap(
    (option) => /^(?:LOCALE|LC_COLLATE|LC_CTYPE) = '((?:[^']|'')+)'$/.exec(option)?.[1] ?? [],
  );
  for (const locale of new Set(locales)) {
    const name = locale.replaceAll("''", "'");
    if (!(await exists(client, name))) return name;
  }
  return undefined;
}

/** Tries to use a locale for a collation, which is not created. */
async function exists(client: Client, locale: string): Promise<boolean> {
  await client.query("BEGIN");
  try {
    await client.query(
      `CREATE COLLATION pg_temp.tried (PROVIDER = libc, LOCALE = ${quoteLiteral(locale)})`,
    );
    return true;
  } catch (error) {
    // Any other error is not about the locale itself, e.g. that it has another encoding than this database.
    return !messageOf(error).includes("could not create locale");
  } finally {
    await client.query("ROLLBACK");
  }
}
