import type { MaskCatalogue } from "../masks/catalogue";
import { parseColumnName } from "../masks/column-name";
import type { Masks } from "../masks/mask";
import { planMasks } from "../masks/plan";
import type { RefreshPlan } from "./refresh-plan";

/** Number of problems listed individually. */
const shownProblems = 20;

/** What can be said about masks before the data is restored. */
export interface MaskPreview {
  readonly scope: NonNullable<RefreshPlan["masks"]>;
  /** Why the masks will be rejected. */
  readonly problems: readonly string[];
}

/**
 * Compares masks with the columns of a backup. `scripts` are the texts of upgrade scripts that may be applied before the
 * masks: problems of a table or column that one of them names are left to the update. Without `columns`, all problems
 * are.
 */
export function previewMasks(
  masks: Masks,
  columns: MaskCatalogue | undefined,
  scripts: readonly string[],
): MaskPreview {
  if (!columns) return { scope: scopeOf(masks), problems: [] };
  const { plan, problems } = planMasks(columns, masks);
  if (plan) {
    const { classify } = masks;
    const scope = { classify, columns: plan.columns, tables: plan.tables, classified: plan.all };
    return { scope, problems: [] };
  }
  const text = scripts.join("\n").toLowerCase();
  const certain = problems
    .filter(({ path }) => !isMentioned(text, path))
    .map(({ path, text }) => `masks: ${path}: ${text}`);
  const more = certain.length - shownProblems;
  const shown = certain.slice(0, shownProblems);
  return {
    scope: scopeOf(masks),
    problems: more > 0 ? [...shown, `masks: and ${more} more columns`] : shown,
  };
}

/** The scope of the masks as configured. */
function scopeOf({ classify, columns }: Masks): MaskPreview["scope"] {
  const masked = Object.entries(columns).filter(([, { mask }]) => mask !== "public");
  const tables = new Set(masked.map(([name]) => name.slice(0, name.lastIndexOf("."))));
  return { classify, columns: masked.length, tables: tables.size, classified: null };
}

function isMentioned(text: string, path: string): boolean {
  const { schema = "public", table = path, column = "*" } = parseColumnName(path) ?? {};
  const words = [
    table,
    ...(column === "*" ? [] : [column]),
    ...(schema === "public" ? [] : [schema]),
  ];
  return words.some((word) => text.includes(word.toLowerCase()));
}
