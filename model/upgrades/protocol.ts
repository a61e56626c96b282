import { z } from "zod";
import { databaseNameSchema } from "../base/database-name";
import { upgradeScriptSchema, versionSchema } from "./script";

/** What may stand between the end of one script and the beginning of the next. */
export const gapsChoiceSchema = z.enum(["refused", "allowed"]);
export type GapsChoice = z.infer<typeof gapsChoiceSchema>;

/** How to tell which version data without a ledger is at, and in which order packages come. */
export const upgradeRulesSchema = z.strictObject({
  gaps: gapsChoiceSchema,
  /** The version of every package that `baselines` does not name. */
  baseline: versionSchema.optional(),
  baselines: z.record(z.string(), versionSchema).optional(),
  /** A query that asks the data: rows of package and version, or one version. */
  version: z.string().min(1).optional(),
  /** Packages that come first, in this order; the others follow by name. */
  order: z.array(z.string()).optional(),
});
export type UpgradeRules = z.infer<typeof upgradeRulesSchema>;

/** The upgrade scripts of a revision of the code, as a request carries them. */
export const upgradesSchema = z.strictObject({
  scripts: z.array(upgradeScriptSchema),
  rules: upgradeRulesSchema,
});
export type Upgrades = z.infer<typeof upgradesSchema>;

/** stdin of `stagecraft-agent upgrades`. */
export const upgradesRequestSchema = z.strictObject({
  /** The server this is meant for; the agent refuses when it is another. */
  server: z.string().min(1),
  database: databaseNameSchema,
  upgrades: upgradesSchema,
  /** `look`: tell what is applied and what is pending. `dry run`: apply what is pending to a copy that is dropped afterwards. */
  mode: z.enum(["look", "dry run"]),
});
export type UpgradesRequest = z.infer<typeof upgradesRequestSchema>;

/** A script without its contents. */
const scriptNameSchema = upgradeScriptSchema.omit({ text: true, sha256: true });

/** A script that went through, and how long it took. */
export const appliedScriptSchema = z.strictObject({
  ...scriptNameSchema.shape,
  seconds: z.number().nonnegative(),
  /** Warnings that PostgreSQL gave. */
  warnings: z.array(z.string()),
});
export type AppliedScript = z.infer<typeof appliedScriptSchema>;

/** Why a script did not go through. */
export const scriptFailureSchema = z.strictObject({
  ...scriptNameSchema.shape,
  /** The line of the script that PostgreSQL means. */
  line: z.number().int().positive(),
  /** The beginning of the statement. */
  statement: z.string(),
  sqlstate: z.string(),
  message: z.string(),
  detail: z.string().optional(),
  hint: z.string().optional(),
  context: z.string().optional(),
  /** Whether what the script had done before was taken back. */
  takenBack: z.boolean(),
});
export type ScriptFailure = z.infer<typeof scriptFailureSchema>;

/** How a version was found out. */
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

/** Which version a package's data is at. */
export const packageVersionSchema = z.strictObject({
  package: z.string(),
  version: z.string(),
  source: versionSourceSchema,
});
export type PackageVersion = z.infer<typeof packageVersionSchema>;

/** A script and what has become of it in a database. */
export const scriptStateSchema = z.strictObject({
  ...scriptNameSchema.shape,
  /** `before`: the data came with it. `adopted`: another tool applied it. `unknown`: applied, but this code has not got it. */
  state: z.enum(["before", "adopted", "applied", "pending", "unknown"]),
  appliedAt: z.iso.datetime().optional(),
  appliedBy: z.string().optional(),
  seconds: z.number().nonnegative().optional(),
});
export type ScriptState = z.infer<typeof scriptStateSchema>;

/** What became of the pending scripts of a database. */
export const upgradesReportSchema = z.strictObject({
  /** `refused`: nothing was tried, `problems` say why. */
  result: z.enum(["applied", "failed", "refused"]),
  applied: z.array(appliedScriptSchema),
  failure: scriptFailureSchema.optional(),
  problems: z.array(z.string()),
  notes: z.array(z.string()),
  /** Where the data is now. */
  versions: z.array(packageVersionSchema),
  seconds: z.number().nonnegative(),
  /** For people: one line when all is well, a few when not. */
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
  /** What came of the copy. */
  dryRun: upgradesReportSchema.optional(),
});
export type UpgradesResult = z.infer<typeof upgradesResultSchema>;
