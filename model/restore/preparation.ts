import { z } from "zod";
import { defuseReportSchema, defuseSchema } from "../defuse/statement";
import { preserveReportSchema, preserveRuleSchema } from "../preserve/protocol";
import { masksSchema } from "../masks/mask";
import { masksReportSchema } from "../masks/report";
import { upgradesReportSchema, upgradesSchema } from "../upgrades/protocol";

/** What is done to restored contents before they take the database's name, in this order. */
export const preparationSchema = z.strictObject({
  /** Upgrade scripts of the code: those that the data lacks are applied. */
  upgrades: upgradesSchema.optional(),
  /** What its columns become. */
  masks: masksSchema.optional(),
  /** What it must not do or know. */
  defuse: defuseSchema.optional(),
  /** Tables, or rows of them, that are carried over from the live database. */
  keep: z.array(preserveRuleSchema).optional(),
});
export type Preparation = z.infer<typeof preparationSchema>;

/** What became of each part. */
export const preparationReportSchema = z.strictObject({
  upgrades: upgradesReportSchema.optional(),
  masks: masksReportSchema.optional(),
  defuse: defuseReportSchema.optional(),
  keep: preserveReportSchema.optional(),
});
export type PreparationReport = z.infer<typeof preparationReportSchema>;
