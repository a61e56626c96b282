import { type ArchiveFacts, ArchiveScriptReader } from "../../../model/dump/archive";
import { splitArchiveList, type ArchiveLists } from "../../../model/dump/archive-list";
import type { DumpKind } from "../../../model/dump/format";
import { AgentError, messageOf } from "../../system/errors";
import { clientEnvironment, streamOutput } from "../../postgres/client-programs";

/** An archive for pg_restore, a file or a folder. */
export interface Archive {
  readonly name: string;
  readonly path: string;
  readonly kind: Exclude<DumpKind, "plain">;
}

/** What an archive contains. */
export interface ArchiveContents extends ArchiveFacts {
  /** Its table of contents in parts; `undefined` if it can be restored in one. */
  readonly lists: ArchiveLists | undefined;
}

/** Reads the table of contents and the schema of an archive; throws an {@link AgentError} when that fails or its PostgreSQL is newer than `serverMajor`. */
export async function readArchive(
  { name, path: file }: Archive,
  serverMajor: number,
): Promise<ArchiveContents> {
  const script = new ArchiveScriptReader();
  const environment = clientEnvironment();
  const list: Buffer[] = [];
  try {
    for await (const chunk of streamOutput("pg_restore", ["--list", file], environment))
      list.push(chunk);
    const from = /^;\s+Dumped from database version: (\d+)/m.exec(
      Buffer.concat(list).toString("utf8"),
    )?.[1];
    if (from !== undefined && Number(from) > serverMajor)
      throw new AgentError(newerProblem(name, from, serverMajor));
    for await (const chunk of streamOutput(
      "pg_restore",
      ["--schema-only", "--create", "--file=-", file],
      environment,
    )) {
      script.push(chunk);
    }
  } catch (error) {
    if (error instanceof AgentError) throw error;
    const message = messageOf(error).replaceAll("pg_restore: ", "").replaceAll(file, name);
    const unsupported = /unsupported version \(([\d.]+)\) in file header/.exec(message)?.[1];
    throw new AgentError(
      unsupported === undefined
        ? `${name} cannot be read: ${message.split("\n")[0] ?? ""}; it is truncated or damaged, copy or dump it again`
        : newerProblem(name, `(archive format ${unsupported})`, serverMajor),
      { cause: error },
    );
  }
  return { ...script.finish(), lists: splitArchiveList(Buffer.concat(list).toString("utf8")) };
}

/** Error text for a dump from a newer PostgreSQL. */
export function newerProblem(name: string, from: string, serverMajor: number): string {
  return `${name} is from PostgreSQL ${from}, newer than this server's ${serverMajor}; increase postgres.version, or dump with pg_dump ${serverMajor} or older`;
}
