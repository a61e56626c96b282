import { expect, test } from "vitest";
import { splitArchiveList } from "../../../../model/dump/archive-list";

const entry = {
  schema: "6; 2615 16385 SCHEMA - stock alice",
  extension: "2; 3079 16386 EXTENSION - hstore ",
  comment: "3900; 0 0 COMMENT - EXTENSION hstore ",
  table: "216; 1259 16400 TABLE public EVENT TRIGGER alice",
  publication: "3800; 6104 16500 PUBLICATION - p alice",
  member: "3801; 6106 16501 PUBLICATION TABLE public p t alice",
  trigger: "3802; 3466 16502 EVENT TRIGGER - e alice",
};

test("an archive whose entries need no superuser is restored in one", () => {
  expect(splitArchiveList(`; a comment\n${entry.schema}\n${entry.table}\n`)).toBeUndefined();
});

test("extensions come first with their schemas, then publications before owners change, and event triggers last", () => {
  expect(splitArchiveList(`; a comment\n${Object.values(entry).join("\n")}\n`)).toEqual({
    before: `${entry.schema}\n${entry.extension}\n${entry.comment}\n`,
    main: `${entry.table}\n`,
    publications: `${entry.publication}\n${entry.member}\n`,
    eventTriggers: `${entry.trigger}\n`,
  });
});
