import { z } from "zod";
import { sha256Schema } from "../base/sha256";
import { isVersion, versionRule } from "./version";

/** A version of the data model. */
export const versionSchema = z.string().refine(isVersion, { error: `must be ${versionRule}` });

/** An upgrade script with its contents, as a request carries it. */
export const upgradeScriptSchema = z.strictObject({
  /** The package it belongs to; `application` where all scripts lie in one folder. */
  package: z.string().min(1),
  from: versionSchema,
  to: versionSchema,
  /** File name. */
  name: z.string().min(1),
  /** SHA-256 of `text`. */
  sha256: sha256Schema,
  /** UTF-8, without byte order mark, lines ended by LF: the same on every checkout. */
  text: z.string(),
});
export type UpgradeScript = z.infer<typeof upgradeScriptSchema>;

/** The package of scripts that lie in one folder. */
export const onlyPackage = "application";

/** How a script is called in messages: with its package, where there are several. */
export function scriptLabel({
  package: owner,
  name,
}: Pick<UpgradeScript, "package" | "name">): string {
  return owner === onlyPackage ? name : `${owner}: ${name}`;
}

/** Reads the name of a script, `upgrade-<from>-<to>.sql`; `undefined` when it has another form. */
export function parseScriptName(name: string): { from: string; to: string } | undefined {
  const match = /^upgrade-([^-]+)-([^-]+)\.sql$/.exec(name);
  if (!match) return undefined;
  const [, from = "", to = ""] = match;
  return isVersion(from) && isVersion(to) ? { from, to } : undefined;
}
