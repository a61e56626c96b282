import { type ArchiveFacts, ArchiveScriptReader } from "../../../model/dump/archive";
import { splitArchiveList, type ArchiveLists } from "../../../model/dump/archive-list";
import { archiveSections, type ArchiveSections } from "../../../model/dump/archive-sections";
import type { SourceProperties } from "../../../model/base/database-settings";
import type { DumpKind } from "../../../model/dump/format";
import { AgentError, messageOf } from "../../system/errors";
import { clientEnvironment, streamOutput } from "../../postgres/client-programs";
import { withListFile } from "./list-file";

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
  /** Which sections it has. */
  readonly sections: ArchiveSections;
  /** Major version of the server that it is from, or of pg_dump, whichever is older. */
  readonly dumpedWith: number | undefined;
  /** Parameters and the like of its database, if it has them. */
  readonly properties: SourceProperties | undefined;
}

/**
 * Reads the table of contents and the schema of an archive; throws an {@link AgentError} when that fails, e.g. because only a
 * newer pg_restore can read it, and for an archive without tables.
 */
export async function readArchive({ name, path: file }: Archive): Promise<ArchiveContents> {
  const script = new ArchiveScriptReader();
  const environment = clientEnvironment();
  const list: Buffer[] = [];
  try {
    for await (const chunk of streamOutput("pg_restore", ["--list", file], environment))
      list.push(chunk);
    for await (const chunk of streamOutput(
      "pg_restore",
      ["--schema-only", "--create", "--file=-", file],
      environment,
    )) {
      script.push(chunk);
    }
    await readLargeObjects(file, Buffer.concat(list).toString("utf8"), script);
  } catch (error) {
    if (error instanceof AgentError) throw error;
    const message = messageOf(error).replaceAll("pg_restore: ", "").replaceAll(file, name);
    const unsupported = /unsupported version \(([\d.]+)\) in file header/.exec(message)?.[1];
    throw new AgentError(
      unsupported === undefined
        ? `${name} cannot be read: ${message.split("\n")[0] ?? ""}; it is truncated or damaged, copy or dump it again`
        : newerFormatProblem(name, unsupported),
      { cause: error },
    );
  }
  const text = Buffer.concat(list).toString("utf8");
  const sections = archiveSections(text);
  if (sections.isDataOnly) throw new AgentError(dataOnlyProblem(name));
  const versions = [...text.matchAll(/^;\s+Dumped (?:from database|by pg_dump) version: (\d+)/gm)];
  return {
    ...script.finish(),
    properties: script.properties,
    lists: splitArchiveList(text),
    sections,
    dumpedWith:
      versions.length === 0 ? undefined : Math.min(...versions.map(([, major]) => Number(major))),
  };
}

/** Reads who owns large objects and may use them, which a script of the schema does not have. */
async function readLargeObjects(
  file: string,
  list: string,
  script: ArchiveScriptReader,
): Promise<void> {
  const entries = list
    .split("\n")
    .filter((line) => /^\d+; \d+ \d+ (?:BLOB(?: METADATA)? - |ACL - LARGE OBJECT)/.test(line));
  if (entries.length === 0) return;
  await withListFile(`${entries.join("\n")}\n`, async (options) => {
    const args = ["--file=-", ...options, file];
    for await (const chunk of streamOutput("pg_restore", args, clientEnvironment()))
      script.push(chunk);
  });
}

/** Error text for an archive whose format is newer than this pg_restore. */
function newerFormatProblem(name: string, format: string): string {
  return `${name} is in archive format ${format}, which a newer pg_dump wrote and pg_restore here cannot read; write it as SQL with the pg_restore of that version (pg_restore --file=dump.sql ${name}), and set data.dump to that file`;
}

function dataOnlyProblem(name: string): string {
  return `${name} has no tables, only rows, as pg_dump --data-only writes it; dump the tables too, without --data-only`;
}
