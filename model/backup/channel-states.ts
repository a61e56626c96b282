import { z } from "zod";
import { channels } from "./alerts";

/** The last result of each channel that alerts were sent by, by its name. */
export const channelStatesSchema = z.partialRecord(
  z.enum(channels),
  z.strictObject({
    /** When an alert was sent last, or could not be sent. */
    at: z.iso.datetime(),
    /** Number of alerts that could not be sent. */
    failures: z.int().nonnegative(),
    /** Why the last one could not be sent; `null` if it was. */
    problem: z.string().nullable(),
  }),
);
export type ChannelStates = z.infer<typeof channelStatesSchema>;
