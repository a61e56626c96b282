import { existsSync, readdirSync, statSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseOrigin } from "../../model/stack-file/data-origin";
import { chooseDump } from "../../model/stack-file/choose-dump";
import type { ConfigProblem } from "../../model/base/config-problem";
import type { StackFileConfig } from "../../model/stack-file/schema";
import { backupContents, offsiteContents, readDump, type Contents } from "./dump";

/** What a stack's `data` section names, or what is wrong with the section. */
export type FoundContents = { readonly contents: Contents } | { readonly problem: ConfigProblem };

/** Where to search. */
export interface SearchScope {
  readonly projectFolder: string;
  /** Prefix of volume names. */
  readonly namePrefix: string;
  /** The managed database, where a folder has dumps of several. */
  readonly database: string | undefined;
}

/** What the `data` section says of a dump. */
interface DumpChoices extends Pick<Contents, "acceptKind" | "acceptSchemaOnly" | "acceptOlder"> {
  /** The database to restore from the dump of a whole cluster. */
  readonly database: string | undefined;
}

/** Finds the dump that a stack's `data` section names. A backup in a volume or off-site is left to the agent, which can read it. */
export function findContents(
  { dump, from = "", backup = "", offsite, ...data }: StackFileConfig["data"],
  { projectFolder, namePrefix, database }: SearchScope,
): FoundContents {
  const { acceptUnverified, acceptKind, signedBy, accept, acceptOlder } = data;
  const { acceptSchemaOnly } = data;
  const ofDump = { database: data.database, acceptKind, acceptSchemaOnly, acceptOlder };
  if (dump !== undefined) return findDump(projectFolder, "data.dump", dump, ofDump);
  const origin = parseOrigin(from, namePrefix);
  if ("problem" in origin) return { problem: { path: "data.from", text: origin.problem } };
  const accepted = { acceptUnverified, acceptKind, signedBy, accept, acceptOlder };
  if (origin.kind === "offsite") {
    if (offsite) return { contents: offsiteContents({ ...offsite, backup, ...accepted }) };
    return { problem: { path: "data.offsite", text: "is missing" } };
  }
  if (origin.kind === "volume") {
    const repository = origin.volume;
    return { contents: backupContents({ repository, backup, ...accepted }) };
  }
  const folder = resolve(projectFolder, from);
  if (!existsSync(folder) || !statSync(folder).isDirectory()) {
    const text = `there is no folder ${from}; give its path from the project folder`;
    return { problem: { path: "data.from", text } };
  }
  const choice = chooseDump(readdirSync(folder), backup, database);
  if ("problem" in choice) return { problem: { path: "data.backup", text: choice.problem } };
  return findDump(projectFolder, "data.backup", join(from, choice.fileName), ofDump);
}

function findDump(
  projectFolder: string,
  key: string,
  path: string,
  { database, ...accepted }: DumpChoices,
): FoundContents {
  const dump = readDump(projectFolder, path, database);
  if ("problem" in dump) return { problem: { path: key, text: dump.problem } };
  return { contents: { ...dump, ...accepted } };
}
