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
          "Folder of upgrade scripts `upgrade-<from>-<to>.sql`, or with one subfolder per package.",
        examples: ["upgrades"],
      }),
    gaps: gapsChoiceSchema.default("refused").meta({
      description: "Whether versions may be missing between one script and the next.",
    }),
    baseline: versionSchema.optional().meta({
      description: "Version of data without a ledger.",
      examples: ["3.4.0.9.0"],
    }),
    baselines: z.record(z.string(), versionSchema).optional().meta({
      description: "The same per package: a line `package: version` each.",
    }),
    version: z.string().min(1, "must be a query").optional().meta({
      description:
        "A query that reads the version from the data: one version, or rows of package and version.",
    }),
    order: z.array(z.string()).optional().meta({
      description: "Packages to upgrade first, in this order; the others follow by name.",
    }),
  })
  .superRefine(
    (section, context) => {
      const { folder, ...rest } = section;
      const named = Object.keys(rest).filter((key) => key !== "gaps");
      if (folder !== undefined || named.length === 0) return;
      const message = `is missing; set the folder of the scripts, e.g. folder: upgrades, or remove ${named.join(", ")}`;
      context.addIssue({ code: "custom", message, path: ["folder"], input: section });
    },
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
export type UpgradesConfig = z.output<typeof upgradesConfigSchema>;

/** The part of the section that a request contains. */
export function upgradeRules({ folder: _, ...rules }: UpgradesConfig): UpgradeRules {
  return rules;
}
