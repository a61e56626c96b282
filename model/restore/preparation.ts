import { z } from "zod";
import { defuseReportSchema, defuseSchema } from "../defuse/statement";
import { preserveReportSchema, preserveRuleSchema } from "../preserve/protocol";
import { masksSchema } from "../masks/mask";
import { masksReportSchema } from "../masks/report";
import { upgradesReportSchema, upgradesSchema } from "../upgrades/protocol";

/** Preparation of restored contents before the swap, in this order. */
export const preparationSchema = z.strictObject({
  /** Upgrade scripts of the project; those not yet applied to the data are run. */
  upgrades: upgradesSchema.optional(),
  /** Masks of columns. */
  masks: masksSchema.optional(),
  /** Statements that make the data harmless, e.g. remove credentials. */
  defuse: defuseSchema.optional(),
  /** Tables, or rows of them, to preserve from the live database. */
  keep: z.array(preserveRuleSchema).optional(),
});
export type Preparation = z.infer<typeof preparationSchema>;

/** Result of each part of a preparation. */
export const preparationReportSchema = z.strictObject({
  upgrades: upgradesReportSchema.optional(),
  masks: masksReportSchema.optional(),
  defuse: defuseReportSchema.optional(),
  keep: preserveReportSchema.optional(),
});
export type PreparationReport = z.infer<typeof preparationReportSchema>;
