import { z } from "zod";
import { timeZoneSchema } from "../backup/timing";
import { scheduleSchema } from "../backup/timing";
import { parseBytes } from "../base/units";
import type { ArchiveConfig } from "../point-in-time/protocol";

const leastWaiting = "64 MB";

const waitingSchema = z.string().superRefine((text, context) => {
  const bytes = parseBytes(text);
  if (bytes === undefined) context.addIssue('must be a size like "4 GB" or "512 MB"');
  else if (bytes < (parseBytes(leastWaiting) ?? 0)) {
    context.addIssue(`must be at least "${leastWaiting}", four segments of the log`);
  }
});

/** Recovery to any moment: the stack file's section `backups.pointInTime`. Nothing is archived without it. */
export const pointInTimeConfigSchema = z.strictObject({
  full: scheduleSchema.default("0 1 * * 0").meta({
    description: "When a full base backup is made.",
  }),
  differential: scheduleSchema.default("0 1 * * 1-6").meta({
    description: "When what has changed since the last full one is backed up.",
  }),
  timeZone: timeZoneSchema.default("UTC").meta({ description: "The time zone of both." }),
  keep: z
    .strictObject({
      full: z.int().min(1, "must be at least 1").default(2).meta({
        description:
          "Full base backups that are kept; what is older than the oldest cannot be recovered.",
      }),
    })
    .prefault({}),
  mostWaiting: waitingSchema.default("4 GB").meta({
    description: "How much of the log may wait in PostgreSQL's volume when it cannot be archived.",
  }),
});
export type PointInTimeConfig = z.output<typeof pointInTimeConfigSchema>;

/** The same as the agent is asked for it. */
export function archiveConfig(settings: PointInTimeConfig): ArchiveConfig {
  const { full, differential, timeZone, keep, mostWaiting } = settings;
  return {
    ...{ full, differential, timeZone },
    keepFull: keep.full,
    mostWaiting: parseBytes(mostWaiting) ?? 0,
  };
}
