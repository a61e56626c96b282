import { z } from "zod";
import { checkSettings } from "./check";

/** `postgres.settings` of a stack file: settings in either notation. The output is as it was written; see {@link checkSettings}. */
export const postgresSettingsSchema = z
  .record(z.string(), z.unknown())
  .superRefine((settings, context) => {
    for (const { path, text } of checkSettings(settings, { version: 17 }).problems) {
      context.addIssue({ code: "custom", path: [path], message: text, input: settings });
    }
  });
