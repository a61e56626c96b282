import { z } from "zod";
import { checkParameters } from "./check";

/** `postgres.settings` of a stack file: parameters in either notation. The output is unchanged; see {@link checkParameters}. */
export const postgresParametersSchema = z
  .record(z.string(), z.unknown())
  .superRefine((parameters, context) => {
    for (const { path, text } of checkParameters(parameters, { version: 17 }).problems) {
      context.addIssue({ code: "custom", path: [path], message: text, input: parameters });
    }
  });
