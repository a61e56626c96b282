import type { Verification } from "../backup/catalogue";
import type { BackedUpDatabase, Manifest } from "../backup/manifest";
import { serverKinds, stackKinds, type ServerKind } from "../base/names";
import type { RestoreRequest } from "./protocol";
import { plural } from "../base/units";

/** The server that a backup is restored on. */
export interface RestoreTarget {
  /** Major version of PostgreSQL. */
  readonly major: number;
  /** Extensions available on the server. */
  readonly extensions: ReadonlySet<string>;
}

/** A backup, and its last verification. */
export interface KnownBackup {
  readonly manifest: Manifest;
  readonly verification: Verification | null;
}

/** Finds a database in a backup; if it is missing, the reason in a sentence. */
export function findDatabase(
  { id, server, databases }: Manifest,
  database: string,
): BackedUpDatabase | { problem: string } {
  const [only, ...others] = databases;
  const found = databases.find(({ name }) => name === database);
  if (found) return found;
  // The only database of a backup may have another name on this server.
  if (only && others.length === 0) return only;
  const names = databases.map(({ name }) => name).join(", ");
  return {
    problem: `backup ${id} of ${server} has no database ${database}; it has ${names || "none"}; take another backup, or set database.name`,
  };
}

/** Why a backup must not or cannot be restored, a sentence each; checked before any change. */
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
      `backup ${id} of ${server} failed verification: ${verification.text}; take another one`,
    );
  } else if (verification?.restored !== true && request.acceptUnverified !== true) {
    problems.push(
      `backup ${id} of ${server} is unverified; verify it with: npx stagecraft backups verify ${server} ${id}, or set data.acceptUnverified: true`,
    );
  }
  const foreign = kindProblem(`backup ${id}`, server, kind, request);
  if (foreign !== undefined) problems.push(foreign);
  const from = Number.parseInt(postgres.version, 10);
  if (from > major) {
    problems.push(
      `backup ${id} is from PostgreSQL ${from}, newer than this server's ${major}; increase postgres.version`,
    );
  }
  const missing = database.extensions
    .map(({ name }) => name)
    .filter((name) => !extensions.has(name));
  if (missing.length > 0) {
    problems.push(
      `${database.name} uses ${plural(missing.length, "extension")} that this server lacks: ${missing.join(", ")}; install them in its image`,
    );
  }
  return problems;
}

/** Why a dump must not be restored on production: its file name says that it is from a server of another kind. */
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
  return `${what} is from ${server}, a ${kind} server, but production is recovered only from its own backups; to allow it, set data.acceptKind: ${kind}`;
}
