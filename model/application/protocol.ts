import { z } from "zod";

/** stdin of `stagecraft-agent application`: which application the server has. */
export const applicationRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
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
