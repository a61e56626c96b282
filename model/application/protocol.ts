import { z } from "zod";

/** stdin of `stagecraft-agent application`: the application of the server. */
export const applicationRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
  /** Revision of the running code; recorded in the manifests of backups. */
  revision: z.string().min(1),
  /** URL of the health check, as reached by the agent; `undefined` if only Docker checks the health. */
  url: z.url().optional(),
});
export type ApplicationRequest = z.infer<typeof applicationRequestSchema>;

/** Observed state of a server's application: a part of `observe`. */
export const applicationObservationSchema = z.strictObject({
  ...applicationRequestSchema.omit({ server: true }).shape,
  /** Why it is unhealthy; `null` if it is healthy, `undefined` if only Docker checks the health. */
  problem: z.string().nullable().optional(),
});

/** First line of stdin of `application-report`; the output of `docker logs --timestamps` follows. */
export const applicationReportRequestSchema = z.strictObject({
  server: z.string().min(1),
  database: z.string().min(1),
  revision: z.string().min(1),
  /** Name of its container. */
  container: z.string().min(1),
  errorPattern: z.string().min(1),
});
export type ApplicationReportRequest = z.infer<typeof applicationReportRequestSchema>;
