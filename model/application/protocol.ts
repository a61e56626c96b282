import { z } from "zod";

/** stdin of `stagecraft-agent application`: which application the server has. */
export const applicationRequestSchema = z.strictObject({
  /** The server this is meant for; the agent refuses when it is another. */
  server: z.string().min(1),
  /** Which revision of its code runs; it goes into the manifests of backups. */
  revision: z.string().min(1),
  /** What it answers when it is well, as the agent reaches it; `undefined` where only Docker can tell. */
  url: z.url().optional(),
});
export type ApplicationRequest = z.infer<typeof applicationRequestSchema>;

/** What `observe` tells of a server's application. */
export const applicationObservationSchema = z.strictObject({
  ...applicationRequestSchema.omit({ server: true }).shape,
  /** Why it is not well; `null` when it is, `undefined` where only Docker can tell. */
  problem: z.string().nullable().optional(),
});

/** stdout of `application-due`. */
export interface ApplicationDue {
  /** Whether the application must be restarted, because its database has other contents than when it started. */
  readonly restart: boolean;
}

/** stdout of `application-health`, and what the command says of an application that only Docker can tell of. */
export const applicationHealthSchema = z.strictObject({
  /** Why it is not well; `null` when it is. */
  problem: z.string().nullable(),
  /** How long it has been waited for. */
  seconds: z.number().nonnegative(),
});
export type ApplicationHealth = z.infer<typeof applicationHealthSchema>;

/** The first line of stdin of `application-report`; the application's log, as `docker logs --timestamps` gives it, follows. */
export const applicationReportRequestSchema = z.strictObject({
  server: z.string().min(1),
  database: z.string().min(1),
  revision: z.string().min(1),
  /** Name of its container. */
  container: z.string().min(1),
  errorPattern: z.string().min(1),
});
export type ApplicationReportRequest = z.infer<typeof applicationReportRequestSchema>;
