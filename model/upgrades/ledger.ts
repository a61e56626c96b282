import { z } from "zod";
import { upgradeScriptSchema, type UpgradeScript } from "./script";
import type { VersionSource } from "./protocol";

/** Where a database keeps what has been applied to it. It is in its dumps, so a copy knows it too. */
export const ledgerSchema = "stagecraft";
export const ledgerTable = "upgrades";

/** One script that was applied. */
export interface LedgerEntry extends Omit<UpgradeScript, "text"> {
  readonly appliedAt: string;
  /** The server it was applied on. */
  readonly appliedBy: string;
  readonly seconds: number;
}

/** Tools whose ledgers are read. */
export type AdoptedTool = Extract<
  VersionSource,
  "flyway" | "dbmate" | "golang-migrate" | "node-pg-migrate"
>;

/** One migration that another tool has applied. */
export interface AdoptedEntry {
  readonly tool: AdoptedTool;
  /** The version the tool knows it by. */
  readonly version?: string | undefined;
  /** Its file, without folder and ending, where the tool keeps it. */
  readonly name?: string | undefined;
  /** False for one that failed half-way and waits for a person. */
  readonly succeeded: boolean;
}

/** What a database tells of its data model. */
export interface Ledger {
  /** Our own entries. */
  readonly entries: readonly LedgerEntry[];
  readonly adopted: readonly AdoptedEntry[];
  /** What the query answered; without a package it is the version of the only one. */
  readonly told: readonly { readonly package?: string; readonly version: string }[];
}

/** What a backup's manifest tells of the ledgers in its snapshot, so that a refresh knows beforehand what is pending. */
export const recordedLedgerSchema = z.strictObject({
  /** Of ours. */
  entries: z.array(
    upgradeScriptSchema.omit({ text: true }).extend({
      appliedAt: z.iso.datetime(),
      appliedBy: z.string(),
      seconds: z.number().nonnegative(),
    }),
  ),
  /** Of other tools. */
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

/** The ledger of data that knows nothing. */
export const emptyLedger: Ledger = { entries: [], adopted: [], told: [] };
