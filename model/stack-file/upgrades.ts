import { z } from "zod";
import { gapsChoiceSchema, type UpgradeRules } from "../upgrades/protocol";
import { versionSchema } from "../upgrades/script";

/** The stack file's section `upgrades`. */
export const upgradesConfigSchema = z
  .strictObject({
    folder: z
      .string()
      .min(1, "must be a path")
      .optional()
      .meta({
        description:
          "Folder of upgrade scripts `upgrade-<from>-<to>.sql`, or of a folder for each package.",
        examples: ["upgrades"],
      }),
    gaps: gapsChoiceSchema.default("refused").meta({
      description: "Whether a script may begin behind the version that the one before ends at.",
    }),
    baseline: versionSchema.optional().meta({
      description: "The version of data that has no ledger.",
      examples: ["3.4.0.9.0"],
    }),
    baselines: z.record(z.string(), versionSchema).optional().meta({
      description: "The same for single packages: a line `package: version` each.",
    }),
    version: z.string().min(1, "must be a query").optional().meta({
      description: "A query that asks the data: one version, or rows of package and version.",
    }),
    order: z.array(z.string()).optional().meta({
      description: "Packages that come first, in this order; the others follow by name.",
    }),
  })
  .superRefine(
    (section, context) => {
      const { folder, ...rest } = section;
      const named = Object.keys(rest).filter((key) => key !== "gaps");
      if (folder !== undefined || named.length === 0) return;
      const message = `is missing; say where the scripts are, e.g. folder: upgrades, or take ${named.join(", ")} out`;
      context.addIssue({ code: "custom", message, path: ["folder"], input: section });
    },
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
export type UpgradesConfig = z.output<typeof upgradesConfigSchema>;

/** What a request needs to know of the section. */
export function upgradeRules({ folder: _, ...rules }: UpgradesConfig): UpgradeRules {
  return rules;
}
