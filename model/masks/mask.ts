import { z } from "zod";

const count = z.int("must be a whole number").nonnegative("must not be negative");
/** A column of the same table that tells rows that belong together. */
const by = z.string().min(1).optional();

/** How the values of one column are made unrecognisable. NULL stays NULL, but for `sql`. */
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

/** A mask of one column; made by {@link mask}. */
export type Mask = z.infer<typeof maskSchema>;

/** What a database's columns become before anybody may connect to it. */
export const masksSchema = z.strictObject({
  /** `strict`: a column that has neither a mask nor `public` stops the refresh, also one that an upgrade script brings. */
  classify: z.enum(["strict", "listed only"]),
  /** A mask for each column, by its name as SQL writes it: `users.email`, `audit.entries.before`, `"Time Off"."Reason"`. */
  columns: z.record(z.string(), maskSchema),
});

/**
 * What a database's columns become before anybody may connect to it.
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

/** The server's own secret that masked values depend on: the same key gives the same values, another one gives others. */
export const maskKeySchema = z.string().min(32, "must have at least 32 characters");

/** The masks that a column can have. Which types each one fits: docs/masks.md. */
export const mask = {
  /** Nothing is done: the column holds nothing about people. The only one that may be given to all columns of a table, as `holidays.*`. */
  public: (): Mask => ({ mask: "public" }),
  /** NULL. In a column of large objects the objects go, too. */
  null: (): Mask => ({ mask: "null" }),
  /** One value for all, in JSON's notation: `mask.constant("")`, `mask.constant({ language: "en" })`. */
  constant: (value: z.infer<ReturnType<typeof z.json>>): Mask => ({ mask: "constant", value }),
  /** A keyed digest that fits the type. Equal values become equal values, in all tables: joins go on to match. */
  hash: (): Mask => ({ mask: "hash" }),
  /** An address that no mail reaches. @param domain `"example.invalid"` when left out */
  email: (domain?: string): Mask => ({ mask: "email", ...(domain !== undefined && { domain }) }),
  /** A made-up name of a person. */
  name: (): Mask => ({ mask: "name" }),
  /** A number with the country code +999, which nobody has. */
  phone: (): Mask => ({ mask: "phone" }),
  /** Keeps the first and last characters; the others become stars. */
  partial: (keep: { readonly first?: number; readonly last?: number }): Mask => ({
    mask: "partial",
    ...keep,
  }),
  /**
   * Moves dates by up to so many days, all by the same, so that intervals stay.
   * With `by` by the same for each value of that column, e.g. for each person.
   */
  dateShift: (days: number, by?: string): Mask => ({
    mask: "date shift",
    days,
    ...(by !== undefined && { by }),
  }),
  /** Changes numbers by up to so many percent, by something else in each row, or for each value of the column `by`. */
  noise: (percent: number, by?: string): Mask => ({
    mask: "noise",
    percent,
    ...(by !== undefined && { by }),
  }),
  /** An SQL expression over the columns of the row as they were. */
  sql: (sql: string): Mask => ({ mask: "sql", sql }),
} as const;

/** A mask in a few words, for plans and reports: `email`, `noise of 10 %`. */
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
