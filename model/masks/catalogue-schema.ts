import { z } from "zod";
import type { MaskCatalogue } from "./catalogue";

const names = z.array(z.string());
const number = z.number();

/** The catalogue of a database for masks, as a backup stores it for previews. */
export const maskCatalogueSchema: z.ZodType<MaskCatalogue> = z.strictObject({
  encoding: z.string(),
  tables: z.array(
    z.strictObject({
      id: number,
      schema: z.string(),
      table: z.string(),
      kind: z.enum(["table", "partitioned", "foreign", "view", "materialized view"]),
      parents: z.array(number),
      rows: number,
      bytes: number,
      columns: z.array(
        z.strictObject({
          name: z.string(),
          type: z.string(),
          base: z.string(),
          modifier: number,
          isArray: z.boolean(),
          labels: names.nullable(),
          notNull: z.boolean(),
          isGenerated: z.boolean(),
        }),
      ),
      primaryKey: names,
      uniques: z.array(z.strictObject({ name: z.string(), columns: names, isPlain: z.boolean() })),
      partitionKey: names,
    }),
  ),
  foreignKeys: z.array(
    z.strictObject({
      name: z.string(),
      table: number,
      columns: names,
      referenced: number,
      referencedColumns: names,
      definition: z.string(),
      comment: z.string().nullable(),
    }),
  ),
  largeObjects: number,
});
