import { availableParallelism } from "node:os";
import type { Client } from "pg";
import { incomingName } from "../../model/names";
import type { RestoreRequest } from "../../model/protocol";
import { quoteIdentifier as q } from "../../model/sql";
import { connect, withConnection } from "../postgres";
import { Progress } from "../progress";
import { archiveScript, restoreArchive } from "./archive";
import { unpack } from "./content";
import type { Dump } from "./dump";
import { LostConnection, restorePlain } from "./plain";
import type { Recorder } from "./recorder";
import { restoreRole } from "./restore-role";

/** Restores a dump into the `__incoming` database, whatever its format, and records what is said. */
export async function fillDatabase(
  dump: Dump,
  request: RestoreRequest,
  recorder: Recorder,
): Promise<void> {
  const progress = new Progress("restore", dump.bytes);
  if (dump.kind === "plain") {
    const contents = unpack(dump.path, dump.compression, dump.name, (bytes) => {
      progress.advance(bytes);
    });
    await fillFromPlain(dump, contents, request, recorder, progress);
    return;
  }
  const archive = { ...dump, kind: dump.kind };
  // pg_restore always believes what an archive says of its encoding.
  if (dump.encoding !== undefined)
    await fillFromPlain(dump, archiveScript(archive), request, recorder, progress);
  else await fillFromArchive(archive, request, recorder);
}

async function fillFromPlain(
  dump: Dump,
  contents: AsyncIterable<Buffer>,
  { database, roles, owner }: RestoreRequest,
  recorder: Recorder,
  progress: Progress,
): Promise<void> {
  const client = await connect(incomingName(database), {
    role: restoreRole,
    synchronous_commit: "off",
    client_min_messages: "warning",
  });
  try {
    await restorePlain({
      name: dump.name,
      contents,
      client,
      recorder,
      progress,
      roles,
      owner,
      createRole: async (role) => {
        await withConnection("postgres", async (admin) => createRole(admin, role));
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
  dump: Dump & { readonly kind: "custom" | "tar" | "directory" },
  { database, roles, owner }: RestoreRequest,
  recorder: Recorder,
): Promise<void> {
  const { log } = recorder;
  const {
    tables = [],
    owners = new Map<string, number>(),
    grantees = new Set<string>(),
    encoding = "UTF8",
  } = dump.archive ?? {};
  for (const table of tables) log.expectRows(table, null);
  await withConnection("postgres", async (admin) => {
    const known = new Set(
      (await admin.query<{ rolname: string }>("SELECT rolname FROM pg_roles")).rows.map(
        ({ rolname }) => rolname,
      ),
    );
    for (const [role, objects] of owners) {
      if (roles === "leave out" && role !== owner) log.role(role, "left out").objects += objects;
    }
    if (roles === "leave out") return;
    for (const role of new Set([...owners.keys(), ...grantees])) {
      if (known.has(role)) continue;
      await createRole(admin, role);
      log.role(role, "created without login");
    }
  });
  await restoreArchive(dump, incomingName(database), restoreRole, recorder, {
    jobs: availableParallelism(),
    keepOwners: roles === "create without login",
    encoding,
  });
}

async function createRole(admin: Client, role: string): Promise<void> {
  await admin.query(`CREATE ROLE ${q(role)} NOLOGIN`);
}
