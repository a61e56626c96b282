import { z } from "zod";
import { channels } from "./alerts";

/** stdin of `alerts-test`: sends a test alert. */
export const alertsTestRequestSchema = z.strictObject({
  /** Name of the server; the agent of any other server rejects the request. */
  server: z.string().min(1),
});

/** stdout of `alerts-test`. */
export const alertsTestResultSchema = z.strictObject({
  /** The configured channels. */
  channels: z.array(
    z.strictObject({
      channel: z.enum(channels),
      /** Why it did not accept the alert; `null` if it did. */
      problem: z.string().nullable(),
    }),
  ),
});
export type AlertsTestResult = z.infer<typeof alertsTestResultSchema>;
