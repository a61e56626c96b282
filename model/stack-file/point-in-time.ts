import { z } from "zod";
import { scheduleSchema, timeZoneSchema } from "../backup/timing";
import { parseBytes } from "../base/units";
import type { ArchiveConfig } from "../point-in-time/protocol";

const minimumWaiting = "64 MB";

const waitingSchema = z.string().superRefine((text, context) => {
  const bytes = parseBytes(text);
  if (bytes === undefined) context.addIssue('must be a size like "4 GB" or "512 MB"');
  else if (bytes < (parseBytes(minimumWaiting) ?? 0)) {
    context.addIssue(`must be at least "${minimumWaiting}", four WAL segments`);
  }
});

/** Point-in-time recovery: the stack file's section `backups.pointInTime`. Without it, WAL is not archived. */
export const pointInTimeConfigSchema = z.strictObject({
  full: scheduleSchema.default("0 1 * * 0").meta({
    description: "Schedule of full base backups.",
  }),
  differential: scheduleSchema.default("0 1 * * 1-6").meta({
    description:
      "Schedule of differential base backups, which contain the changes since the last full one.",
  }),
  timeZone: timeZoneSchema.default("UTC").meta({ description: "Time zone of both schedules." }),
  keep: z
    .strictObject({
      full: z.int().min(1, "must be at least 1").default(2).meta({
        description:
          "Number of full base backups to keep; times before the oldest one cannot be recovered.",
      }),
    })
    .prefault({}),
  mostWaiting: waitingSchema.default("4 GB").meta({
    description: "How much WAL may wait in PostgreSQL's volume while archiving fails.",
  }),
});
export type PointInTimeConfig = z.output<typeof pointInTimeConfigSchema>;

/** The section in the form of a request to the agent. */
export function archiveConfig(section: PointInTimeConfig): ArchiveConfig {
  const { full, differential, timeZone, keep, mostWaiting } = section;
  return {
    full,
    differential,
    timeZone,
    keepFull: keep.full,
    mostWaiting: parseBytes(mostWaiting) ?? 0,
  };
}
