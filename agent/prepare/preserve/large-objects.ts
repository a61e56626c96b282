import type { Client } from "pg";
import { quoteIdentifier as q } from "../../../model/base/sql";

/** Bytes of a large object read and written at once. */
const chunkBytes = 2 ** 20;

/** Digest of each large object's contents. Only a superuser may read the catalog. */
const digestsSql = `
  SELECT m.oid::text AS oid,
         (SELECT encode(sha256(coalesce(string_agg(int4send(l.pageno) || sha256(l.data), ''::bytea ORDER BY l.pageno), ''::bytea)), 'hex')
          FROM pg_largeobject l WHERE l.loid = m.oid) AS digest
  FROM pg_largeobject_metadata m WHERE m.oid = ANY ($1::oid[])`;

/** The large objects that rows of the live database reference, in the candidate database. */
export interface CarriedObjects {
  /** Number of copied objects. */
  readonly copied: number;
  /** New ids of objects whose ids other objects have in the candidate database, by the old ones. */
  readonly renamed: ReadonlyMap<string, string>;
}

/**
 * Copies large objects to the candidate database, with their ids where these are free. Those that are there with the same
 * contents are left. Both sessions are the superuser's; large objects have no code.
 *
 * @param ids Values of columns of type `oid`; those that are no large object are ignored
 * @param owner The role that gets the copies
 */
export async function carryLargeObjects(
  live: Client,
  candidate: Client,
  ids: readonly string[],
  owner: string,
): Promise<CarriedObjects> {
  const renamed = new Map<string, string>();
  let copied = 0;
  if (ids.length === 0) return { copied, renamed };
  const { rows: found } = await live.query<{ oid: string }>(
    "SELECT oid::text FROM pg_largeobject_metadata WHERE oid::text = ANY ($1)",
    [ids],
  );
  if (found.length === 0) return { copied, renamed };
  const wanted = await digests(
    live,
    found.map(({ oid }) => oid),
  );
  const present = await digests(candidate, [...wanted.keys()]);
  for (const [id, digest] of wanted) {
    const there = present.get(id);
    if (there === digest) continue;
    const { rows } = await candidate.query<{ id: string }>(
      "SELECT lo_create($1::oid)::text AS id",
      [there === undefined ? id : "0"],
    );
    const copy = rows[0]?.id ?? id;
    if (copy !== id) renamed.set(id, copy);
    await copyContents(live, id, candidate, copy);
    await candidate.query(`ALTER LARGE OBJECT ${Number(copy)} OWNER TO ${q(owner)}`);
    copied++;
  }
  return { copied, renamed };
}

async function digests(client: Client, ids: readonly string[]): Promise<Map<string, string>> {
  const { rows } = await client.query<{ oid: string; digest: string }>(digestsSql, [ids]);
  return new Map(rows.map(({ oid, digest }) => [oid, digest]));
}

async function copyContents(
  live: Client,
  id: string,
  candidate: Client,
  copy: string,
): Promise<void> {
  for (let offset = 0; ; offset += chunkBytes) {
    const { rows } = await live.query<{ chunk: Buffer }>(
      "SELECT lo_get($1::oid, $2::bigint, $3::int) AS chunk",
      [id, offset, chunkBytes],
    );
    const chunk = rows[0]?.chunk ?? Buffer.alloc(0);
    if (chunk.length > 0)
      await candidate.query("SELECT lo_put($1::oid, $2::bigint, $3::bytea)", [copy, offset, chunk]);
    if (chunk.length < chunkBytes) return;
  }
}
