import { z } from "zod";
import { sha256Schema } from "../base/sha256";
import { isVersion, versionRule } from "./version";

/** A version of the data model. */
export const versionSchema = z.string().refine(isVersion, { error: `must be ${versionRule}` });

/** An upgrade script with its contents, in a request. */
export const upgradeScriptSchema = z.strictObject({
  /** The package it belongs to; `application` if all scripts are in one folder. */
  package: z.string().min(1),
  from: versionSchema,
  to: versionSchema,
  /** File name. */
  name: z.string().min(1),
  /** SHA-256 of `text`. */
  sha256: sha256Schema,
  /** UTF-8 without byte order mark, with LF line endings, so that it is the same in every checkout. */
  text: z.string(),
});
export type UpgradeScript = z.infer<typeof upgradeScriptSchema>;

/** The package of scripts that are not in a folder of a package. */
export const defaultPackage = "application";

/** Formats a script's name for messages, with its package unless that is {@link defaultPackage}. */
export function scriptLabel({
  package: owner,
  name,
}: Pick<UpgradeScript, "package" | "name">): string {
  return owner === defaultPackage ? name : `${owner}: ${name}`;
}

/** Parses a script's name, `upgrade-<from>-<to>.sql`; `undefined` when it has another form. */
export function parseScriptName(name: string): { from: string; to: string } | undefined {
  const match = /^upgrade-([^-]+)-([^-]+)\.sql$/.exec(name);
  if (!match) return undefined;
  const [, from = "", to = ""] = match;
  return isVersion(from) && isVersion(to) ? { from, to } : undefined;
}
