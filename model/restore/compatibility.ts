import type { Verification } from "../backup/catalogue";
import type { BackedUpDatabase, Manifest } from "../backup/manifest";
import { serverKinds, stackKinds, type ServerKind } from "../base/names";
import type { RestoreRequest } from "./protocol";
import { plural } from "../base/units";

/** What a backup meets where it is to be restored. */
export interface RestoreTarget {
  /** Major version of PostgreSQL. */
  readonly major: number;
  /** Extensions that can be made there. */
  readonly extensions: ReadonlySet<string>;
}

/** What is known of a backup. */
export interface KnownBackup {
  readonly manifest: Manifest;
  readonly verification: Verification | null;
}

/** The database of a backup that a request means; the sentence that tells why there is none, if so. */
export function findDatabase(
  { id, server, databases }: Manifest,
  wanted: string,
): BackedUpDatabase | { problem: string } {
  const [only, ...others] = databases;
  const found = databases.find(({ name }) => name === wanted);
  if (found) return found;
  // A database may be called otherwise here than where it comes from.
  if (only && others.length === 0) return only;
  const names = databases.map(({ name }) => name).join(", ");
  return {
    problem: `backup ${id} of ${server} has no database ${wanted}; it has ${names || "none"}; take another backup, or set database.name`,
  };
}

/** Why a backup may not or cannot be restored, a sentence each, all of them; nothing has been touched yet. */
export function compatibilityProblems(
  { manifest, verification }: KnownBackup,
  database: BackedUpDatabase,
  request: Pick<RestoreRequest, "kind" | "acceptUnverified" | "acceptKind">,
  { major, extensions }: RestoreTarget,
): string[] {
  const { id, server, kind, postgres } = manifest;
  const problems: string[] = [];
  if (verification?.result === "failed") {
    problems.push(
      `backup ${id} of ${server} did not pass its verification: ${verification.text}; take another one`,
    );
  } else if (verification?.restored !== true && request.acceptUnverified !== true) {
    problems.push(
      `backup ${id} of ${server} is unverified: no restore has proven it yet; verify it with: npx stagecraft backups verify ${server} ${id}, or set data.acceptUnverified: true`,
    );
  }
  const foreign = kindProblem(`backup ${id}`, server, kind, request);
  if (foreign !== undefined) problems.push(foreign);
  const from = Number.parseInt(postgres.version, 10);
  if (from > major) {
    problems.push(
      `backup ${id} comes from PostgreSQL ${from}, newer than this server's ${major}; raise postgres.version`,
    );
  }
  const missing = database.extensions
    .map(({ name }) => name)
    .filter((name) => !extensions.has(name));
  if (missing.length > 0) {
    problems.push(
      `${database.name} uses ${plural(missing.length, "extension")} that this server has not: ${missing.join(", ")}; install them in its image`,
    );
  }
  return problems;
}

/** Why a dump may not become production's contents: its name says that it was taken from a server of another kind. */
export function dumpKindProblem(
  request: Pick<RestoreRequest, "kind" | "acceptKind" | "source">,
): string | undefined {
  const { name, server = "" } = request.source;
  const kinds: Readonly<Record<string, ServerKind>> = {
    ...Object.fromEntries(serverKinds.map((kind) => [kind, kind])),
    ...stackKinds,
  };
  const kind = Object.hasOwn(kinds, server) ? kinds[server] : undefined;
  return kind && kindProblem(name, server, kind, request);
}

function kindProblem(
  what: string,
  server: string,
  kind: ServerKind,
  request: Pick<RestoreRequest, "kind" | "acceptKind">,
): string | undefined {
  const isOwn = request.kind !== "production" || kind === "production";
  if (isOwn || request.acceptKind === kind) return undefined;
  return `${what} comes from ${server}, a ${kind} server, and production is recovered from production's own backups; if that is really meant, set data.acceptKind: ${kind}`;
}
