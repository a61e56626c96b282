import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chooseDump } from "../../../../model/stack-file/choose-dump";
import { encodingName } from "../../../../model/stack-file/encodings";
import { planMemory } from "../../../../model/stack-file/memory";
import { nearest } from "../../../../model/base/nearest";

describe("the dump that a backup id means", () => {
  const folder = [
    "README.md",
    "pg_dump.production.timesheets.20261114.032900.sql.bz2",
    "pg_dump.production.timesheets.20261115.032900.sql",
    "pg_dump.production.wiki.20261115.032900.sql",
    "pg_dump.production.timesheets.20261201.032900.sql",
  ];

  test("is the file with its moment", () => {
    expect(chooseDump(folder, "20261114T032900Z", "timesheets")).toEqual({
      fileName: "pg_dump.production.timesheets.20261114.032900.sql.bz2",
    });
  });

  test("is the one of the database where databases share the id", () => {
    expect(chooseDump(folder, "20261115T032900Z", "wiki")).toEqual({
      fileName: "pg_dump.production.wiki.20261115.032900.sql",
    });
  });

  test("is not guessed", () => {
    expect(chooseDump(folder, "20261115T032900Z", "shop")).toEqual({
      problem:
        "20261115T032900Z is the id of pg_dump.production.timesheets.20261115.032900.sql and pg_dump.production.wiki.20261115.032900.sql; set data.dump to the file itself",
    });
  });

  test("an unknown id is told the nearest ones", () => {
    expect(chooseDump(folder, "20261116T000000Z", "timesheets")).toEqual({
      problem:
        "no backup 20261116T000000Z in the folder; the nearest: 20261115T032900Z, 20261114T032900Z, 20261201T032900Z",
    });
  });

  test("a folder without dumps says how they are named", () => {
    expect(chooseDump(["notes.txt"], "20261116T000000Z", "timesheets")).toEqual({
      problem:
        "no backup 20261116T000000Z: the folder has no file named pg_dump.<server>.<database>.<YYYYMMDD>.<hhmmss>.<ending>",
    });
  });
});

describe("the nearest word", () => {
  test.each([
    ["sharedBufers", ["sharedBuffers", "workMem"], "sharedBuffers"],
    ["prot", ["port", "memory"], "port"],
    ["PORT", ["port", "memory"], "port"],
    ["colour", ["port", "memory"], undefined],
  ])("of %s", (word, known, meant) => {
    expect(nearest(word, known)).toBe(meant);
  });

  test("of a known word is the word itself", () => {
    const words = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 });
    fc.assert(
      fc.property(words, (known) => {
        expect(nearest(known[0] ?? "", known)).toBe(known[0]);
      }),
    );
  });
});

test.each([
  ["utf-8", "UTF8"],
  ["Unicode", "UTF8"],
  ["latin 1", "LATIN1"],
  ["ISO-8859-15", "LATIN9"],
  ["iso_8859_5", "ISO_8859_5"],
  ["EBCDIC", undefined],
])("encoding %s is %s", (text, name) => {
  expect(encodingName(text)).toBe(name);
});

test("a server's memory is shared out", () => {
  expect(planMemory(4 * 2 ** 30)).toEqual({
    container: 4096,
    sharedMemory: 1024,
    parameters: {
      shared_buffers: "1024MB",
      effective_cache_size: "3072MB",
      work_mem: "10MB",
      maintenance_work_mem: "256MB",
      max_worker_processes: "6",
      max_wal_size: "8192MB",
    },
  });
});

test("a small server has room for parallel queries, too", () => {
  expect(planMemory(256 * 2 ** 20)).toMatchObject({ container: 256, sharedMemory: 64 });
});
