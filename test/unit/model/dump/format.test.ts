import { describe, expect, test } from "vitest";
import {
  contentProblem,
  dumpFileProblem,
  dumpFolderProblem,
  recogniseCompression,
  recogniseKind,
} from "../../../../model/dump/format";
import { neededBytes, reservedBytes, spaceProblem } from "../../../../model/dump/space";

const header = "--\n-- PostgreSQL database dump\n--\n\n";
const footer = "\n--\n-- PostgreSQL database dump complete\n--\n\n";
const problem = (text: string | Buffer): string | undefined => {
  const bytes = Buffer.from(text as string);
  return dumpFileProblem({ name: "x.sql", bytes: bytes.length, head: bytes, tail: bytes });
};

test.each([
  ["gzip", "1f8b08"],
  ["bzip2", "425a6839"],
  ["zstd", "28b52ffd"],
  ["xz", "fd377a585a00"],
  ["lz4", "04224d18"],
  ["none", "2d2d0a"],
  ["none", ""],
])("%s is recognised by its first bytes %s", (compression, bytes) => {
  expect(recogniseCompression(Buffer.from(bytes, "hex"))).toBe(compression);
});

test("the kind of a dump is recognised by content", () => {
  const tar = Buffer.alloc(512);
  tar.write("toc.dat");
  tar.write("ustar", 257);
  expect([
    recogniseKind(Buffer.from("PGDMP\x01")),
    recogniseKind(tar),
    recogniseKind(Buffer.from(header)),
    recogniseKind(Buffer.from(header.replaceAll("\n", "\r\n"))),
    recogniseKind(Buffer.from(`\ufeff${header}`)),
    recogniseKind(Buffer.from("SELECT 1;")),
  ]).toEqual(["custom", "tar", "plain", "plain", "plain", undefined]);
});

describe("a dump file", () => {
  test("that is complete has no problem", () => {
    expect(problem(header + footer)).toBeUndefined();
    expect(problem((header + footer).replaceAll("\n", "\r\n"))).toBeUndefined();
    expect(problem("PGDMP")).toBeUndefined();
    expect(problem(`${header}${footer}\\unrestrict abc\n\n`)).toBeUndefined();
  });

  test.each([
    ["", "x.sql is empty: the disk was full or pg_dump failed; take the dump again"],
    [
      header,
      'x.sql is cut short: the closing line "-- PostgreSQL database dump complete" is missing; take or copy it again',
    ],
    [
      "hello world",
      'x.sql is not a dump that pg_dump made: it begins with "hello world"; give a plain, custom, tar or directory dump',
    ],
    [
      "\x00\x01\x02",
      "x.sql is not a dump that pg_dump made: it begins with bytes 000102; give a plain, custom, tar or directory dump",
    ],
    [
      "--\n-- PostgreSQL database cluster dump\n--\n",
      "x.sql is a dump of a whole cluster (pg_dumpall); give the dump of one database, made with pg_dump",
    ],
  ])("beginning with %j is refused", (text, expected) => {
    expect(problem(text)).toBe(expected);
  });

  test("of PowerShell's redirection is refused with the way out", () => {
    expect(contentProblem("x.sql", Buffer.from(`\ufeff${header}`, "utf16le"))).toBe(
      "x.sql is in UTF-16, as PowerShell's > writes it; take the dump again with pg_dump --file",
    );
  });
});

test("a folder needs its table of contents", () => {
  expect(dumpFolderProblem("d", ["toc.dat", "1.dat.gz"])).toBeUndefined();
  expect(dumpFolderProblem("d", [])).toBe(
    "d is an empty folder; give a dump made with pg_dump -F d",
  );
  expect(dumpFolderProblem("d", ["a"])).toBe(
    "d is a folder without toc.dat, so not a dump made with pg_dump -F d; give one, or name a file",
  );
});

test("the space that a restore needs depends on how the dump is packed", () => {
  const bytes = 1000;
  expect([
    neededBytes({ bytes, kind: "plain", compression: "none" }),
    neededBytes({ bytes, kind: "plain", compression: "bzip2" }),
    neededBytes({ bytes, kind: "tar", compression: "none" }),
    neededBytes({ bytes, kind: "custom", compression: "none" }),
  ]).toEqual([1300, 6000, 1300, 5000].map((grown) => grown + reservedBytes));
  expect(spaceProblem("x", 5, 5)).toBeUndefined();
  expect(spaceProblem("x", 2 ** 31, 2 ** 30)).toBe(
    "x needs about 2 GB on PostgreSQL's volume, where 1 GB are free; free some space or move the volume to a larger disk",
  );
});
