import { availableParallelism } from "node:os";
import { Readable } from "node:stream";
import type { Client } from "pg";
import { grantScript } from "../../../model/dump/archive";
import type { DumpContents } from "../../../model/dump/dump-parts";
import type { SourceProperties } from "../../../model/base/database-settings";
import type { RolesChoice } from "../../../model/restore/protocol";
import { databaseRoleNames } from "../../../model/roles/names";
import { quoteIdentifier as q } from "../../../model/base/sql";
import { withConnection } from "../../postgres/connect";
import type { RestrictedLogin } from "../../postgres/restricted-login";
import { AgentError } from "../../system/errors";
import { Progress } from "../../system/progress";
import type { Around, AroundRows } from "./around-rows";
import { archivePart, archiveScript, restoreArchive, type ArchiveSection } from "./restore-archive";
import { readKeys } from "../dump/read-keys";
import { unpack } from "../dump/content";
import type { ArchiveDump, OpenedDump } from "../dump/open-dump";
import { StoppedAtRows } from "./plain-parts";
import { LostConnection, restorePlain, type PlainRestore } from "./restore-plain";
import type { Recorder } from "./recorder";
import { restoreSession } from "./restore-role";
import { SuperuserWork } from "./superuser-work";

/** The database to restore a dump into. */
export interface FillTarget {
  /** The empty database to fill, e.g. `<database>__incoming`. */
  readonly candidate: string;
  /** The database whose roles the dump may name; their objects go to its owner without a warning. */
  readonly database: string;
  readonly roles: RolesChoice;
  /** Rows of each table by `schema.name`, if known from a manifest. */
  readonly rows?: ReadonlyMap<string, number> | undefined;
  /** The role that restores it, and owns the database to fill. */
  readonly login: RestrictedLogin;
  /** What has to be done around the rows. @default nothing */
  readonly around?: AroundRows | undefined;
  /** Parallel jobs, if the format allows it. @default one for each processor */
  readonly jobs?: number | undefined;
  /** Whether a dump that has tables and no rows is rejected. @default false */
  readonly needsRows?: boolean | undefined;
  /** Called with the parameters and the like of a plain dump's database, if it has them. */
  readonly onProperties?: ((properties: SourceProperties) => void) | undefined;
}

/**
 * Restores a dump of any format into an empty database and records all messages. Returns whether it went to the end: with
 * something to do around the rows, a failed import stops there.
 */
export async function fillDatabase(
  dump: OpenedDump,
  target: FillTarget,
  recorder: Recorder,
): Promise<boolean> {
  // A rule that does not let the role in is not a fault of the dump.
  await (await target.login.connect(target.candidate)).end();
  const progress = new Progress("restore", dump.bytes);
  recorder.log.restoredOn(dump.serverMajor);
  for (const note of dump.notes) recorder.log.note(note);
  if (dump.kind !== "plain") {
    const { tables, sections, dumpedWith } = dump.archive;
    if (dumpedWith !== undefined) recorder.log.dumpedWith(dumpedWith);
    noteSchemaOnly(dump.name, { tables: tables.length, ...sections }, target, recorder);
  }
  if (dump.kind === "plain") {
    const contents = unpack(dump.path, dump.compression, dump.name, (bytes) => {
      progress.advance(bytes);
    });
    return fillFromPlain(dump, contents, target, recorder, progress, {
      around: await aroundRows(dump, target),
    });
  }
  // pg_restore cannot override the encoding of an archive.
  if (dump.encoding !== undefined) {
    const around = await aroundRows(dump, target);
    return fillFromPlain(dump, archiveScript(dump), target, recorder, progress, { around });
  }
  return fillFromArchive(dump, target, recorder, progress);
}

async function aroundRows(dump: OpenedDump, { around }: FillTarget): Promise<Around | undefined> {
  if (!around) return undefined;
  const keys = await readKeys(dump);
  return {
    beforeRows: async () => around.beforeRows(keys),
    afterRows: async () => around.afterRows(),
  };
}

type PlainOptions = Pick<PlainRestore, "around" | "isMasked">;

async function fillFromPlain(
  dump: OpenedDump,
  contents: AsyncIterable<Buffer>,
  target: FillTarget,
  recorder: Recorder,
  progress: Progress,
  options: PlainOptions = {},
): Promise<boolean> {
  const { candidate, database, roles, login } = target;
  const client = await login.connect(candidate, restoreSession);
  const superuser = new SuperuserWork(candidate, login.name, (text) => {
    recorder.log.note(text);
  });
  try {
    const restored = await restorePlain({
      name: dump.name,
      contents,
      client,
      superuser,
      recorder,
      progress,
      roles,
      ownRoles: ownRoles(database),
      createRole: async (role) => {
        await withConnection(candidate, async (admin) => createRole(admin, role));
        recorder.log.role(role, "created without login");
      },
      encoding: dump.encoding,
      ...options,
      ...(dump.kind === "plain" && { only: dump.only, onProperties: target.onProperties }),
    });
    if (dump.kind === "plain") noteSchemaOnly(dump.name, restored, target, recorder);
    return true;
  } catch (error) {
    if (error instanceof StoppedAtRows) return false;
    if (!(error instanceof LostConnection)) throw error;
    return options.around === undefined;
  } finally {
    await superuser.end();
    await client.end().catch(() => undefined);
  }
}

async function fillFromArchive(
  dump: ArchiveDump,
  target: FillTarget,
  recorder: Recorder,
  progress: Progress,
): Promise<boolean> {
  const { candidate, database, roles, login, jobs = availableParallelism() } = target;
  const { log } = recorder;
  const { tables, owners, grantees, encoding, lists } = dump.archive;
  for (const table of tables) log.expectRows(table, null);
  await withConnection(candidate, async (admin) => {
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
  const plain = async (script: Buffer, options?: PlainOptions): Promise<boolean> =>
    fillFromPlain(dump, Readable.from([script]), target, recorder, progress, options);
  if (lists) await plain(await archivePart(dump, lists.before));
  const main = lists?.main;
  const options = { jobs, login, encoding };
  const section = async (name?: ArchiveSection): Promise<void> =>
    restoreArchive(dump, main, candidate, recorder, progress, { ...options, section: name });
  const around = await aroundRows(dump, target);
  const hasFailed = (): boolean => log.failed;
  if (around) {
    await section("pre-data");
    if (hasFailed()) return false;
    await around.beforeRows();
    await section("data");
    if (hasFailed()) return false;
    await around.afterRows();
    await section("post-data");
  } else await section();
  if (lists) await plain(await archivePart(dump, lists.publications));
  const grants = grantScript(dump.archive, { owners: roles === "create without login" });
  await plain(grants, { isMasked: around !== undefined });
  if (lists) await plain(await archivePart(dump, lists.eventTriggers));
  return true;
}

/** Notes that a dump has tables and no rows. Throws an {@link AgentError} if it must have some. */
function noteSchemaOnly(
  name: string,
  { tables, hasRows, hasRest }: DumpContents,
  { needsRows = false }: FillTarget,
  { log }: Recorder,
): void {
  if (tables === 0 || hasRows) return;
  const what = hasRest
    ? "no rows: the dump has the schema only (pg_dump --schema-only)"
    : "no rows, keys or indexes: the dump has the tables only (pg_dump --section=pre-data)";
  if (needsRows) {
    throw new AgentError(
      `${name} has ${what}, so production would start empty; use a dump with rows, or set data.acceptSchemaOnly: true`,
    );
  }
  log.note(what);
}

/** The database's own roles, which a dump of it may name; their objects go to its owner. */
function ownRoles(database: string): ReadonlySet<string> {
  return new Set(databaseRoleNames(database));
}

/**
 * `admin` is connected to the candidate: PostgreSQL stores role names as bytes in the encoding of the database they were
 * created in, and compares them with bytes in the encoding of the connected database.
 */
async function createRole(admin: Client, role: string): Promise<void> {
  await admin.query(`CREATE ROLE ${q(role)} NOLOGIN`);
}
