import { describe, expect, test } from "vitest";
import { columnsFile } from "../../../../model/backup/columns-file";
import { maskCatalogueSchema } from "../../../../model/masks/catalogue-schema";
import { mask, type Masks } from "../../../../model/masks/mask";
import { previewMasks } from "../../../../model/restore/mask-preview";
import { catalogue, column, table } from "../../../support/masks/catalogue";

const shop = catalogue([
  table(1, "users", [column("id", "int4"), column("email"), column("nick")]),
  table(2, "entries", [column("old", "jsonb")], { schema: "audit" }),
]);
const masks = (columns: Masks["columns"]): Masks => ({ classify: "strict", columns });
const all = masks({
  ...{ "users.id": mask.public(), "users.email": mask.email(), "users.nick": mask.hash() },
  "audit.entries.*": mask.public(),
});
const missing = masks({ "users.*": mask.public(), "users.email": mask.email() });
const unsaid = "masks: audit.entries.old: is not classified (jsonb); add a mask, or mask.public()";

describe("masks and the columns of a backup", () => {
  test("agree, and all columns are counted", () => {
    expect(previewMasks(all, shop, [])).toEqual({
      scope: { classify: "strict", columns: 2, tables: 1, classified: 4 },
      problems: [],
    });
  });

  test("do not: each column is told, of those that nobody classified as of those that are not there", () => {
    expect(previewMasks(missing, shop, []).problems).toEqual([unsaid]);
    const columns = { ...all.columns, "users.emial": mask.null() };
    const { scope, problems } = previewMasks(masks(columns), shop, []);
    expect(problems).toEqual([
      "masks: users.emial: the column does not exist; did you mean users.email?",
    ]);
    expect(scope).toEqual({ classify: "strict", columns: 3, tables: 1, classified: null });
  });

  test("are left to the update where a pending upgrade script names the table, the column or the schema", () => {
    for (const script of [
      "DROP TABLE audit.entries",
      'ALTER TABLE log.x DROP COLUMN "old"',
      "DROP SCHEMA Audit CASCADE",
    ])
      expect(previewMasks(missing, shop, ["SELECT 1", script]).problems).toEqual([]);
    expect(previewMasks(missing, shop, ["ALTER TABLE users ADD more text"]).problems).toEqual([
      unsaid,
    ]);
    const coming = masks({ ...all.columns, "users.more": mask.null() });
    expect(previewMasks(coming, shop, ["ALTER TABLE users ADD more text"]).problems).toEqual([]);
  });

  test("are told in short where there are many", () => {
    const wide = catalogue([
      table(
        1,
        "wide",
        Array.from({ length: 30 }, (_, n) => column(`c${n}`)),
      ),
    ]);
    const { problems } = previewMasks(masks({}), wide, []);
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)).toBe("masks: and 10 more columns");
  });

  test("are compared by the update alone where the backup does not tell them", () => {
    expect(previewMasks(missing, undefined, [])).toEqual({
      scope: { classify: "strict", columns: 1, tables: 1, classified: null },
      problems: [],
    });
  });
});

test("the file of columns lies beside the dump, whatever form that has", () => {
  expect(columnsFile("pg_dump.prod.shop.20261121.032900.dir")).toBe(
    "columns.prod.shop.20261121.032900.dir.json.gz",
  );
  expect(maskCatalogueSchema.parse(JSON.parse(JSON.stringify(shop)))).toEqual(shop);
});
