import { z } from "zod";
import { checkSettings } from "./check";

/** Settings by PostgreSQL's own names: those that a person may set, with values that PostgreSQL's catalogue allows. */
const settingValuesSchema = z.record(z.string(), z.string()).superRefine((settings, context) => {
  for (const { path, text } of checkSettings(settings, { version: 17 }).problems) {
    context.addIssue({ code: "custom", path: [path], message: text });
  }
});

/** stdin of `stagecraft-agent settings` and of `settings-confirm`. */
export const settingsRequestSchema = z.strictObject({
  /** The server this is meant for; the agent refuses when it is another. */
  server: z.string().min(1),
  /** All of them: what is left out goes back to its default. */
  settings: settingValuesSchema,
});
export type SettingsRequest = z.infer<typeof settingsRequestSchema>;

/** stdout of `settings`. */
export const settingsResultSchema = z.strictObject({
  /** Whether the file, or what ALTER SYSTEM had left, was changed. */
  changed: z.boolean(),
  /** Settings that wait for a restart of PostgreSQL. */
  restart: z.array(z.string()),
  /** Settings of the file that are in force. */
  applied: z.array(z.string()),
  /** Settings that somebody had made by ALTER SYSTEM, or in `postgresql.conf` behind ours, and that count no more. */
  removed: z.array(z.string()),
});
export type SettingsResult = z.infer<typeof settingsResultSchema>;

/** stdout of `settings-confirm`. */
export const settingsConfirmedSchema = z.strictObject({
  /** Settings of the file that are in force. */
  applied: z.array(z.string()),
});
export type SettingsConfirmed = z.infer<typeof settingsConfirmedSchema>;

/** What is seen of a server's settings, for drift. */
export const settingsObservationSchema = z.strictObject({
  /** SHA-256 of `stagecraft.conf`; `null` while there is none. That of the wanted one is over {@link renderSettings}. */
  sha256: z.string().nullable(),
  /** What stands in it. */
  values: z.record(z.string(), z.string()),
  /** Settings made by ALTER SYSTEM, which outrank the file. */
  alterSystem: z.array(z.string()),
  /**
   * Settings that stand in `postgresql.conf` behind ours, which they outrank, or `postgresql.conf` itself where it does not read
   * ours at its end; absent when there are none.
   */
  behind: z.array(z.string()).optional(),
  /** Settings that wait for a restart of PostgreSQL. */
  pendingRestart: z.array(z.string()),
});
export type SettingsObservation = z.infer<typeof settingsObservationSchema>;
