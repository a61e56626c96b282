import { z } from "zod";
import { checkParameters } from "./check";

/** Parameters by PostgreSQL's names, only those that users may set, with values that the catalogue allows. */
const parameterValuesSchema = z
  .record(z.string(), z.string())
  .superRefine((parameters, context) => {
    for (const { path, text } of checkParameters(parameters, { version: 17 }).problems) {
      context.addIssue({ code: "custom", path: [path], message: text });
    }
  });

/** stdin of `stagecraft-agent settings` and of `settings-confirm`. */
export const parametersRequestSchema = z.strictObject({
  /** Name of the target server; an agent of another server rejects the request. */
  server: z.string().min(1),
  /** All parameters; omitted ones are reset to their default. */
  settings: parameterValuesSchema,
});
export type ParametersRequest = z.infer<typeof parametersRequestSchema>;

/** stdout of `parameters`. */
export const parametersResultSchema = z.strictObject({
  /** Whether `stagecraft.conf`, `postgresql.conf` or `postgresql.auto.conf` was changed. */
  changed: z.boolean(),
  /** Parameters that take effect after a restart of PostgreSQL. */
  restart: z.array(z.string()),
  /** Parameters of the file that are active. */
  applied: z.array(z.string()),
  /** Removed overrides: parameters set by ALTER SYSTEM, or in `postgresql.conf` after Stagecraft's files. */
  removed: z.array(z.string()),
});
export type ParametersResult = z.infer<typeof parametersResultSchema>;

/** stdout of `settings-confirm`. */
export const parametersConfirmedSchema = z.strictObject({
  /** Parameters of the file that are active. */
  applied: z.array(z.string()),
});
export type ParametersConfirmed = z.infer<typeof parametersConfirmedSchema>;

/** Observed state of a server's parameters, for drift detection. */
export const parametersObservationSchema = z.strictObject({
  /** SHA-256 of `stagecraft.conf`; `null` when there is none. Compare it with the digest of {@link renderSettings}. */
  sha256: z.string().nullable(),
  /** Values in `stagecraft.conf`. */
  values: z.record(z.string(), z.string()),
  /** Parameters set by ALTER SYSTEM, which override the file. */
  alterSystem: z.array(z.string()),
  /**
   * Parameters set in `postgresql.conf` after Stagecraft's files, which they override, or `postgresql.conf` when it does not
   * include those at its end; absent when there are none.
   */
  behind: z.array(z.string()).optional(),
  /** Parameters that take effect after a restart of PostgreSQL. */
  pendingRestart: z.array(z.string()),
});
export type ParametersObservation = z.infer<typeof parametersObservationSchema>;
