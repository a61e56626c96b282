import { z } from "zod";
import { keepReportSchema, keepTableSchema } from "../keep/protocol";
import { upgradesReportSchema, upgradesSchema } from "../upgrades/protocol";

/** What is done to restored contents before they take the database's name, in this order. */
export const preparationSchema = z.strictObject({
  /** Upgrade scripts of the code: those that the data lacks are applied. */
  upgrades: upgradesSchema.optional(),
  /** Tables, or rows of them, that are carried over from the live database. */
  keep: z.array(keepTableSchema).optional(),
});
export type Preparation = z.infer<typeof preparationSchema>;

/** What became of each part. */
export const preparedSchema = z.strictObject({
  upgrades: upgradesReportSchema.optional(),
  keep: keepReportSchema.optional(),
});
export type Prepared = z.infer<typeof preparedSchema>;
