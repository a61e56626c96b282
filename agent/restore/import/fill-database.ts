import { availableParallelism } from "node:os";
import { Readable } from "node:stream";
import type { Client } from "pg";
import { grantScript } from "../../../model/dump/archive";
import type { RolesChoice } from "../../../model/restore/protocol";
import { databaseRoleNames } from "../../../model/roles/names";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { connect, withConnection } from "../../postgres/connect";
import { Progress } from "../../system/progress";
import { archiveScript, restoreArchive } from "./restore-archive";
import { unpack } from "../dump/content";
import type { ArchiveDump, Dump } from "../dump/open-dump";
import { LostConnection, restorePlain } from "./restore-plain";
import type { Recorder } from "./recorder";
import { restoreSession } from "./restore-role";

/** Where a dump is restored to. */
export interface FillTarget {
  /** The empty database that is filled, e.g. `<database>__incoming`. */
  readonly copy: string;
  /** The database whose roles the dump may name without a word: what they own belongs to its owner. */
  readonly database: string;
  readonly roles: RolesChoice;
  /** Rows of each table, `schema.name`, where a manifest tells them. */
  readonly rows?: ReadonlyMap<string, number> | undefined;
  /** Whether its values are to be masked, and so told nowhere. */
  readonly masked?: boolean | undefined;
  /** Connections at the same time, where the format allows it. @default one for each processor */
  readonly jobs?: number | undefined;
}

/** Restores a dump into an empty database, whatever its format, and records what is said. Needs the restore role. */
export async function fillDatabase(
  dump: Dump,
  target: FillTarget,
  recorder: Recorder,
): Promise<void> {
  const progress = new Progress("restore", dump.bytes);
  if (dump.kind === "plain") {
    const contents = unpack(dump.path, dump.compression, dump.name, (bytes) => {
      progress.advance(bytes);
    });
    await fillFromPlain(dump, contents, target, recorder, progress);
    return;
  }
  // pg_restore always believes what an archive says of its encoding.
  if (dump.encoding !== undefined)
    await fillFromPlain(dump, archiveScript(dump), target, recorder, progress);
  else await fillFromArchive(dump, target, recorder, progress);
}

async function fillFromPlain(
  dump: Dump,
  contents: AsyncIterable<Buffer>,
  { copy, database, roles, masked = false }: FillTarget,
  recorder: Recorder,
  progress: Progress,
): Promise<void> {
  const client = await connect(copy, restoreSession(masked));
  try {
    await restorePlain({
      name: dump.name,
      contents,
      client,
      recorder,
      progress,
      roles,
      ownRoles: ownRoles(database),
      createRole: async (role) => {
        await withConnection(copy, async (admin) => createRole(admin, role));
        recorder.log.role(role, "created without login");
      },
      encoding: dump.encoding,
    });
  } catch (error) {
    if (!(error instanceof LostConnection)) throw error;
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function fillFromArchive(
  dump: ArchiveDump,
  target: FillTarget,
  recorder: Recorder,
  progress: Progress,
): Promise<void> {
  const { copy, database, roles, masked = false, jobs = availableParallelism() } = target;
  const { log } = recorder;
  const { tables, owners, grantees, encoding } = dump.archive;
  for (const table of tables) log.expectRows(table, null);
  await withConnection(copy, async (admin) => {
    const known = new Set(
      (await admin.query<{ rolname: string }>("SELECT rolname FROM pg_roles")).rows.map(
        ({ rolname }) => rolname,
      ),
    );
    const own = ownRoles(database);
    for (const [role, objects] of owners) {
      if (roles === "leave out" && !own.has(role)) log.role(role, "left out").objects += objects;
    }
    if (roles === "leave out") return;
    for (const role of new Set([...owners.keys(), ...grantees])) {
      if (known.has(role)) continue;
      await createRole(admin, role);
      log.role(role, "created without login");
    }
  });
  await restoreArchive(dump, copy, recorder, progress, {
    jobs,
    masked,
    keepOwners: roles === "create without login",
    encoding,
  });
  const grants = Readable.from([grantScript(dump.archive)]);
  await fillFromPlain(dump, grants, target, recorder, progress);
}

/** Roles of the database itself, which a dump of it may name: what they own there belongs to its owner here. */
function ownRoles(database: string): ReadonlySet<string> {
  return new Set(databaseRoleNames(database));
}

/**
 * `admin` is connected to the copy: PostgreSQL keeps names of roles as bytes of the database they were made in, and finds
 * them by the bytes of the one they are used in.
 */
async function createRole(admin: Client, role: string): Promise<void> {
  await admin.query(`CREATE ROLE ${q(role)} NOLOGIN`);
}
