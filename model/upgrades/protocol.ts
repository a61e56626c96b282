import { z } from "zod";
import { databaseNameSchema } from "../base/database-name";
import { upgradeScriptSchema, versionSchema } from "./script";

/** Whether versions between the end of one script and the beginning of the next are allowed. */
export const gapsChoiceSchema = z.enum(["refused", "allowed"]);
export type GapsChoice = z.infer<typeof gapsChoiceSchema>;

/** How to determine the version of data without a ledger, and the order of packages. */
export const upgradeRulesSchema = z.strictObject({
  gaps: gapsChoiceSchema,
  /** Version of all packages that are not in `baselines`. */
  baseline: versionSchema.optional(),
  baselines: z.record(z.string(), versionSchema).optional(),
  /** A query for the version of the data: rows of package and version, or a single version. */
  version: z.string().min(1).optional(),
  /** Packages that are upgraded first, in this order; the others follow by name. */
  order: z.array(z.string()).optional(),
});
export type UpgradeRules = z.infer<typeof upgradeRulesSchema>;

/** The upgrade scripts of a revision of the code, in a request. */
export const upgradesSchema = z.strictObject({
  scripts: z.array(upgradeScriptSchema),
  rules: upgradeRulesSchema,
});
export type Upgrades = z.infer<typeof upgradesSchema>;

/** stdin of `stagecraft-agent upgrades`. */
export const upgradesRequestSchema = z.strictObject({
  /** Name of the target server; an agent of another server rejects the request. */
  server: z.string().min(1),
  database: databaseNameSchema,
  upgrades: upgradesSchema,
  /** `look`: only report applied and pending scripts. `dry run`: also apply the pending ones to a copy, which is dropped afterwards. */
  mode: z.enum(["look", "dry run"]),
});
export type UpgradesRequest = z.infer<typeof upgradesRequestSchema>;

/** A script without its contents. */
const scriptNameSchema = upgradeScriptSchema.omit({ text: true, sha256: true });

/** A successfully applied script. */
export const appliedScriptSchema = z.strictObject({
  ...scriptNameSchema.shape,
  seconds: z.number().nonnegative(),
  /** PostgreSQL's warnings. */
  warnings: z.array(z.string()),
});
export type AppliedScript = z.infer<typeof appliedScriptSchema>;

/** Why a script failed. */
export const scriptFailureSchema = z.strictObject({
  ...scriptNameSchema.shape,
  /** Line of the script where the error occurred, from 1. */
  line: z.number().int().positive(),
  /** The beginning of the statement. */
  statement: z.string(),
  sqlstate: z.string(),
  message: z.string(),
  detail: z.string().optional(),
  hint: z.string().optional(),
  context: z.string().optional(),
  /** Whether the script's previous changes were rolled back. */
  takenBack: z.boolean(),
});
export type ScriptFailure = z.infer<typeof scriptFailureSchema>;

/** Source of a version. */
export const versionSourceSchema = z.enum([
  "ledger",
  "flyway",
  "dbmate",
  "golang-migrate",
  "node-pg-migrate",
  "query",
  "baseline",
]);
export type VersionSource = z.infer<typeof versionSourceSchema>;

/** Version of a package's data. */
export const packageVersionSchema = z.strictObject({
  package: z.string(),
  version: z.string(),
  source: versionSourceSchema,
});
export type PackageVersion = z.infer<typeof packageVersionSchema>;

/** A script and its state in a database. */
export const scriptStateSchema = z.strictObject({
  ...scriptNameSchema.shape,
  /** `before`: older than the data's version. `adopted`: applied by another tool. `unknown`: applied, but missing in this code. */
  state: z.enum(["before", "adopted", "applied", "pending", "unknown"]),
  appliedAt: z.iso.datetime().optional(),
  appliedBy: z.string().optional(),
  seconds: z.number().nonnegative().optional(),
});
export type ScriptState = z.infer<typeof scriptStateSchema>;

/** Result of applying the pending scripts to a database. */
export const upgradesReportSchema = z.strictObject({
  /** The last value: nothing was applied because of `problems`. */
  result: z.enum(["applied", "failed", "refused"]),
  applied: z.array(appliedScriptSchema),
  failure: scriptFailureSchema.optional(),
  problems: z.array(z.string()),
  notes: z.array(z.string()),
  /** Versions of the data now. */
  versions: z.array(packageVersionSchema),
  seconds: z.number().nonnegative(),
  /** Text of {@link upgradesReportText}: one line on success, several lines otherwise. */
  text: z.string(),
});
export type UpgradesReport = z.infer<typeof upgradesReportSchema>;

/** stdout of `stagecraft-agent upgrades`. */
export const upgradesResultSchema = z.strictObject({
  server: z.string(),
  database: z.string(),
  versions: z.array(packageVersionSchema),
  scripts: z.array(scriptStateSchema),
  problems: z.array(z.string()),
  notes: z.array(z.string()),
  /** Result of the dry run on a copy. */
  dryRun: upgradesReportSchema.optional(),
});
export type UpgradesResult = z.infer<typeof upgradesResultSchema>;
