import { describe, expect, test } from "vitest";
import {
  closingProblem,
  clusterProblem,
  contentProblem,
  dumpFileProblem,
  dumpFolderProblem,
  detectCompression,
  detectDumpKind,
  isClusterDump,
  isPlainFile,
  lastMark,
} from "../../../../model/dump/format";
import { neededBytes, reservedBytes, spaceProblem } from "../../../../model/dump/disk-space";

const header = "--\n-- PostgreSQL database dump\n--\n\n";
const footer = "\n--\n-- PostgreSQL database dump complete\n--\n\n";
const problem = (text: string | Buffer): string | undefined => {
  const bytes = Buffer.from(text as string);
  const found = dumpFileProblem({ name: "x.sql", bytes: bytes.length, head: bytes });
  return found ?? (isPlainFile(bytes) ? closingProblem("x.sql", lastMark(bytes)) : undefined);
};

test.each([
  ["gzip", "1f8b08"],
  ["bzip2", "425a6839"],
  ["zstd", "28b52ffd"],
  ["xz", "fd377a585a00"],
  ["lz4", "04224d18"],
  ["lz4", "02214c18"],
  ["gzip", "1f9d90"],
  ["zstd", "502a4d1804000000f303000028b52ffd"],
  ["lz4", "5f2a4d1800000000502a4d18010000000004224d18"],
  ["none", "502a4d18ffffffff28b52ffd"],
  ["none", "2d2d0a"],
  ["none", ""],
])("%s is recognised by its first bytes %s", (compression, bytes) => {
  expect(detectCompression(Buffer.from(bytes, "hex"))).toBe(compression);
});

test("the kind of a dump is recognised by content", () => {
  const tar = Buffer.alloc(512);
  tar.write("toc.dat");
  tar.write("ustar", 257);
  expect([
    detectDumpKind(Buffer.from("PGDMP\x01")),
    detectDumpKind(tar),
    detectDumpKind(Buffer.from(header)),
    detectDumpKind(Buffer.from(header.replaceAll("\n", "\r\n"))),
    detectDumpKind(Buffer.from(`\ufeff${header}`)),
    detectDumpKind(Buffer.from("SELECT 1;")),
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
    ["", "x.sql is empty: the disk was full or pg_dump failed; repeat the dump"],
    [
      header,
      'x.sql is truncated: the closing line "-- PostgreSQL database dump complete" is missing; dump or copy it again',
    ],
    [
      "hello world",
      'x.sql is not a dump of pg_dump: it begins with "hello world"; use a plain, custom, tar or directory dump',
    ],
    [
      "\x00\x01\x02",
      "x.sql is not a dump of pg_dump: it begins with bytes 000102; use a plain, custom, tar or directory dump",
    ],
    [
      "PK\x03\x04",
      "x.sql is a zip file; unpack it (unzip x.sql) and set data.dump to the dump in it",
    ],
  ])("beginning with %j is refused", (text, expected) => {
    expect(problem(text)).toBe(expected);
  });

  test("may have statements of any length behind its closing line", () => {
    const appended = "INSERT INTO public.schema_migrations VALUES ('20250101');\n".repeat(1000);
    expect(problem(header + footer + appended)).toBeUndefined();
  });

  test("whose last dump is cut is truncated", () => {
    expect(problem(header + footer + header)).toMatch(/is truncated/);
  });

  test.each([
    "SET statement_timeout = 0;\nSET client_encoding = 'UTF8';\n",
    "SELECT pg_catalog.set_config('search_path', '', false);\n",
    "-- Name: a; Type: TABLE; Schema: public; Owner: -\n",
  ])("may begin with what frameworks leave of it: %j", (text) => {
    expect(problem(text + footer)).toBeUndefined();
    expect(problem(text)).toMatch(/has neither the first nor the closing line of pg_dump/);
  });

  test("of a whole cluster is told by its databases", () => {
    expect(isClusterDump(Buffer.from("--\n-- PostgreSQL database cluster dump\n--\n"))).toBe(true);
    expect(clusterProblem("x.sql", ["shop", "my hr"])).toBe(
      "x.sql is a dump of a whole cluster (pg_dumpall) with databases shop, my hr; set data.database to the one to restore, e.g. data.database: shop",
    );
    expect(clusterProblem("x.sql", [])).toMatch(/without a database; use a dump of one database/);
  });

  test("of PowerShell's redirection is refused with the way out", () => {
    expect(contentProblem("x.sql", Buffer.from(`\ufeff${header}`, "utf16le"))).toBe(
      "x.sql is UTF-16, as written by > in PowerShell; repeat the dump with pg_dump --file",
    );
  });
});

test("a folder needs its table of contents", () => {
  expect(dumpFolderProblem("d", ["toc.dat", "1.dat.gz"])).toBeUndefined();
  expect(dumpFolderProblem("d", [])).toBe(
    "d is an empty folder; use a dump created with pg_dump -F d",
  );
  expect(dumpFolderProblem("d", ["a"])).toBe(
    "d is a folder without toc.dat, so not a dump of pg_dump -F d; use one, or a file",
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
    "x needs about 2 GB on PostgreSQL's volume, which has 1 GB free; free some space or move the volume to a larger disk",
  );
});
