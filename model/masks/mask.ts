import { z } from "zod";

const count = z.int("must be a whole number").nonnegative("must not be negative");
/** A column of the same table: rows with equal values in it are changed in the same way. */
const by = z.string().min(1).optional();

/** The mask of a column. NULL stays NULL, except with `sql`. */
export const maskSchema = z.discriminatedUnion("mask", [
  z.strictObject({ mask: z.literal("public") }),
  z.strictObject({ mask: z.literal("null") }),
  z.strictObject({ mask: z.literal("constant"), value: z.json() }),
  z.strictObject({ mask: z.literal("hash") }),
  z.strictObject({
    mask: z.literal("email"),
    domain: z
      .string()
      .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'must be a domain in small letters, e.g. "example.com"')
      .optional(),
  }),
  z.strictObject({ mask: z.literal("name") }),
  z.strictObject({ mask: z.literal("phone") }),
  z.strictObject({ mask: z.literal("partial"), first: count.optional(), last: count.optional() }),
  z.strictObject({
    mask: z.literal("date shift"),
    days: z.int().min(1, "must be 1 or more").max(36_500, "must be 36500 or less"),
    by,
  }),
  z.strictObject({
    mask: z.literal("noise"),
    percent: z.number().positive("must be more than 0").max(100, "must be 100 or less"),
    by,
  }),
  z.strictObject({ mask: z.literal("sql"), sql: z.string().trim().min(1, "must not be empty") }),
]);

/** The mask of a column; create it with {@link mask}. */
export type Mask = z.infer<typeof maskSchema>;

/** Schema of {@link Masks}. */
export const masksSchema = z.strictObject({
  /** `strict`: a column with neither a mask nor `public` makes the refresh fail, also a column added by an upgrade script. */
  classify: z.enum(["strict", "listed only"]),
  /** Masks by column name in SQL notation: `users.email`, `audit.entries.before`, `"Time Off"."Reason"`. */
  columns: z.record(z.string(), maskSchema),
});

/**
 * Masks for the columns of a database. They are applied before anyone can connect to the database.
 *
 * @example
 * const masks: Masks = {
 *   classify: "strict",
 *   columns: {
 *     "users.id": mask.public(),
 *     "users.email": mask.email(),
 *     "holidays.*": mask.public(),
 *   },
 * };
 */
export type Masks = z.infer<typeof masksSchema>;

/** The server's secret for masking: the same key gives the same masked values. */
export const maskKeySchema = z.string().min(32, "must have at least 32 characters");

/** The masks for columns. Supported types: docs/masks.md. */
export const mask = {
  /** Leaves the column unchanged, because it has no personal data. The only mask for all columns of a table, e.g. `holidays.*`. */
  public: (): Mask => ({ mask: "public" }),
  /** NULL. The large objects of a column are removed, too. */
  null: (): Mask => ({ mask: "null" }),
  /** The same value for all rows, as JSON: `mask.constant("")`, `mask.constant({ language: "en" })`. */
  constant: (value: z.infer<ReturnType<typeof z.json>>): Mask => ({ mask: "constant", value }),
  /** A keyed digest of the same type. Equal values stay equal in all tables, so joins still match. */
  hash: (): Mask => ({ mask: "hash" }),
  /** An undeliverable mail address. @param domain default `"example.invalid"` */
  email: (domain?: string): Mask => ({ mask: "email", ...(domain !== undefined && { domain }) }),
  /** A generated name of a person. */
  name: (): Mask => ({ mask: "name" }),
  /** A phone number with the unassigned country code +999. */
  phone: (): Mask => ({ mask: "phone" }),
  /** Keeps the first and last characters and replaces the others by asterisks. */
  partial: (keep: { readonly first?: number; readonly last?: number }): Mask => ({
    mask: "partial",
    ...keep,
  }),
  /**
   * Shifts all dates by the same number of days, at most `days`, so that intervals are preserved.
   * @param by column whose values determine the shift, e.g. a different one for each person
   */
  dateShift: (days: number, by?: string): Mask => ({
    mask: "date shift",
    days,
    ...(by !== undefined && { by }),
  }),
  /** Changes numbers randomly by up to `percent`. @param by column whose values determine the change @default a different change in each row */
  noise: (percent: number, by?: string): Mask => ({
    mask: "noise",
    percent,
    ...(by !== undefined && { by }),
  }),
  /** An SQL expression over the unmasked columns of the row. */
  sql: (sql: string): Mask => ({ mask: "sql", sql }),
} as const;

/** Formats a mask for plans and reports: `email`, `noise of 10 %`. */
export function describeMask(one: Mask): string {
  switch (one.mask) {
    case "date shift":
      return `date shift of ${one.days} days${one.by === undefined ? "" : ` by ${one.by}`}`;
    case "noise":
      return `noise of ${one.percent} %${one.by === undefined ? "" : ` by ${one.by}`}`;
    case "partial":
      return `partial, first ${one.first ?? 0} and last ${one.last ?? 0} kept`;
    case "public":
    case "null":
    case "constant":
    case "hash":
    case "email":
    case "name":
    case "phone":
    case "sql":
      return one.mask;
  }
}
