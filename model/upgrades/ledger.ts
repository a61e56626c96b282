import { z } from "zod";
import { upgradeScriptSchema, type UpgradeScript } from "./script";
import type { VersionSource } from "./protocol";

/** Schema and table of the ledger: the upgrade scripts applied to a database. It is part of dumps, and so of copies. */
export const ledgerSchema = "stagecraft";
export const ledgerTable = "upgrades";

/** An applied script. */
export interface LedgerEntry extends Omit<UpgradeScript, "text"> {
  readonly appliedAt: string;
  /** Name of the server that it was applied on. */
  readonly appliedBy: string;
  readonly seconds: number;
}

/** Migration tools whose ledgers are read. */
export type AdoptedTool = Extract<
  VersionSource,
  "flyway" | "dbmate" | "golang-migrate" | "node-pg-migrate"
>;

/** A migration applied by another tool. */
export interface AdoptedEntry {
  readonly tool: AdoptedTool;
  /** Version of the migration in the tool. */
  readonly version?: string | undefined;
  /** File name without folder and extension, if the tool stores it. */
  readonly name?: string | undefined;
  /** False if it failed halfway and must be repaired. */
  readonly succeeded: boolean;
}

/** What is known about the data model of a database. */
export interface Ledger {
  /** Stagecraft's entries. */
  readonly entries: readonly LedgerEntry[];
  readonly adopted: readonly AdoptedEntry[];
  /** Result of the query `upgrades.version`; a row without package is about the only package. */
  readonly queried: readonly { readonly package?: string; readonly version: string }[];
}

/** The ledgers in a backup's manifest, so that pending scripts are known before a refresh. */
export const recordedLedgerSchema = z.strictObject({
  /** Stagecraft's entries. */
  entries: z.array(
    upgradeScriptSchema.omit({ text: true }).extend({
      appliedAt: z.iso.datetime(),
      appliedBy: z.string(),
      seconds: z.number().nonnegative(),
    }),
  ),
  /** Entries of other tools. */
  adopted: z.array(
    z.strictObject({
      tool: z.enum(["flyway", "dbmate", "golang-migrate", "node-pg-migrate"]),
      version: z.string().optional(),
      name: z.string().optional(),
      succeeded: z.boolean(),
    }),
  ),
});
export type RecordedLedger = z.infer<typeof recordedLedgerSchema>;

/** The ledger of a database without entries. */
export const emptyLedger: Ledger = { entries: [], adopted: [], queried: [] };
