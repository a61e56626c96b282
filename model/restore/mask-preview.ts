import type { MaskCatalogue } from "../masks/catalogue";
import { parseColumnName } from "../masks/column-name";
import type { Masks } from "../masks/mask";
import { planMasks } from "../masks/plan";
import type { RefreshPlan } from "./refresh-plan";

/** Problems that are told one by one. */
const toldProblems = 20;

/** What is known of masks before the data is there. */
export interface MaskPreview {
  readonly scope: NonNullable<RefreshPlan["masks"]>;
  /** Why they will be refused. */
  readonly problems: readonly string[];
}

/**
 * Compares masks with the columns of a backup. `scripts` are the texts of upgrade scripts that may be applied before the
 * masks are: about a table that one of them names, only the update can tell. Without `columns` all is left to it.
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
    .filter(({ path }) => !isNamedIn(text, path))
    .map(({ path, text }) => `masks: ${path}: ${text}`);
  const more = certain.length - toldProblems;
  const told = certain.slice(0, toldProblems);
  return {
    scope: scopeOf(masks),
    problems: more > 0 ? [...told, `masks: and ${more} more columns`] : told,
  };
}

/** As the masks are written. */
function scopeOf({ classify, columns }: Masks): MaskPreview["scope"] {
  const masked = Object.entries(columns).filter(([, { mask }]) => mask !== "public");
  const tables = new Set(masked.map(([name]) => name.slice(0, name.lastIndexOf("."))));
  return { classify, columns: masked.length, tables: tables.size, classified: null };
}

function isNamedIn(text: string, path: string): boolean {
  const { schema = "public", table = path, column = "*" } = parseColumnName(path) ?? {};
  const words = [
    table,
    ...(column === "*" ? [] : [column]),
    ...(schema === "public" ? [] : [schema]),
  ];
  return words.some((word) => text.includes(word.toLowerCase()));
}
