import type { Client } from "pg";
import {
  hasContents,
  type DatabaseFacts,
  type RestoreRequest,
  type Stamp,
} from "../../model/restore/protocol";
import { previousVersions } from "../../model/restore/versions";
import { quoteIdentifier as q } from "../../model/base/sql";
import { isExternal } from "../postgres/external-connection";
import { stampDatabase } from "../postgres/databases";
import { AgentError } from "../system/errors";

/** A database with its stamp. */
export interface StampedDatabase {
  readonly name: string;
  readonly stamp: Stamp;
}

/** Why nothing is restored; `undefined` when a restore is needed. */
export type NothingToRestore =
  { readonly result: "unchanged" | "kept"; readonly text: string } | undefined;

/**
 * Finds out whether the live database already has the requested contents, and stamps it with the request if so. Throws
 * an {@link AgentError} for a database that must not be replaced.
 */
export async function findExistingContents(
  client: Client,
  databases: readonly DatabaseFacts[],
  { database, source, server, mode, restoreId }: RestoreRequest,
): Promise<NothingToRestore> {
  const live = databases.find(({ name }) => name === database);
  if (!live) return undefined;
  const { stamp } = live;
  const stampAgain = async (): Promise<void> => {
    // So that the next preview shows no change.
    if (stamp && stamp.restoreId !== restoreId) {
      await stampDatabase(client, database, { ...stamp, restoreId });
    }
  };
  if (mode === "when missing") {
    await stampAgain();
    const text = `${database} exists: production's contents are never replaced, ${source.name} would only be used if the database were missing`;
    return { result: "kept", text };
  }
  if (isExternal && !stamp) {
    throw new AgentError(
      `database ${database} was not created by Stagecraft, so it is not replaced; rename it with: ALTER DATABASE ${q(database)} RENAME TO …`,
    );
  }
  if (stamp && stamp.server !== server) {
    throw new AgentError(
      `database ${database} is stamped as belonging to server ${stamp.server}, not ${server}; restore it under another name or on its own server`,
    );
  }
  if (!hasContents(stamp, source)) return undefined;
  await stampAgain();
  return { result: "unchanged", text: `${database} already has the contents of ${source.name}` };
}

/** The previous version that has the requested contents, if the live database does not: it can be rolled back to. */
export function findPreviousVersion(
  databases: readonly DatabaseFacts[],
  { server, database, source, mode }: RestoreRequest,
): StampedDatabase | undefined {
  if (mode === "when missing") return undefined;
  const stamps = new Map(databases.map(({ name, stamp }) => [name, stamp]));
  if (hasContents(stamps.get(database) ?? null, source)) return undefined;
  for (const name of previousVersions(database, new Set(stamps.keys()))) {
    const stamp = stamps.get(name);
    if (stamp?.server === server && hasContents(stamp, source)) return { name, stamp };
  }
  return undefined;
}
