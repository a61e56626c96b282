import { gzipSync } from "node:zlib";
import { readdirSync, readFileSync, rmSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { useServer } from "../../support/servers/server";
import { useLiveDatabase } from "../../support/databases/live-database";

const server = useServer();
const former = useLiveDatabase(server);

let plain: Buffer;

beforeAll(async () => {
  await server.createDatabase(
    "source",
    `CREATE TABLE public.small (id int PRIMARY KEY, note text);
     INSERT INTO public.small SELECT n, md5(n::text) FROM generate_series(1, 20) n;
     CREATE TABLE public.wide (id int PRIMARY KEY, note text);
     INSERT INTO public.wide SELECT n, md5(n::text) || md5((-n)::text) FROM generate_series(1, 6000) n;
     CREATE INDEX ON public.wide (note);`,
  );
  plain = await server.dump("source");
});

/** The bytes before the middle row, or up to some bytes behind it. */
const cutInRows = (more = 0): Buffer => plain.subarray(0, plain.indexOf("\n3000\t") + 1 + more);

/** With one byte changed. */
function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 0x55;
  return copy;
}

describe("a file that is no dump is refused", () => {
  test("an empty file", async () => {
    await former.expectRefused(
      Buffer.alloc(0),
      "dump.sql",
      /cause {5}dump\.sql is empty: .*; repeat the dump/,
    );
  });

  test("a text", async () => {
    const text = /notes\.sql is not a dump of pg_dump: it begins with "Dear all/;
    await former.expectRefused(Buffer.from("Dear all,\nplease find attached\n"), "notes.sql", text);
  });

  test("bytes, a packed text and packed nothing", async () => {
    const bytes = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 0, 16, 74, 70]);
    await former.expectRefused(bytes, "a.jpg", /is not a dump .* bytes ffd8ffe0/);
    await former.expectRefused(gzipSync("Dear all"), "dump.gz", /dump\.gz is not a dump/);
    await former.expectRefused(gzipSync(""), "dump.gz", /dump\.gz is (?:empty|not a dump)/);
  });

  test("the dump of a whole cluster", async () => {
    const all = await server.output(["pg_dumpall", "-U", "postgres", "--no-role-passwords"]);
    await former.expectRefused(
      all,
      "all.sql",
      /is a dump of a whole cluster \(pg_dumpall\) with databases? .*source.*; set data\.database to the one to restore/,
    );
    await former.expectRefused(gzipSync(all), "all.gz", /is a dump of a whole cluster/);
  });
});

describe("a plain dump that is cut short is refused", () => {
  const closing =
    /is truncated: the closing line "-- PostgreSQL database dump complete" is missing; dump or copy it again/;

  test.each([
    ["between two rows", () => cutInRows(), /in the middle of the rows of public\.wide/],
    ["in a row", () => cutInRows(20), /in the middle of the rows of public\.wide/],
    ["behind the rows", () => plain.subarray(0, plain.lastIndexOf("\\.\n") + 3), closing],
    [
      "in a statement",
      () => plain.subarray(0, plain.indexOf("CREATE INDEX") + 20),
      /in the middle of a statement/,
    ],
    [
      "before its closing comment",
      () => plain.subarray(0, plain.indexOf("-- PostgreSQL database dump complete") - 4),
      closing,
    ],
  ])("%s", async (_, cut, packedText) => {
    await former.expectRefused(cut(), "cut.sql", closing);
    await former.expectRefused(gzipSync(cut()), "cut.sql.gz", packedText);
  });

  test.each(["gzip", "bzip2", "zstd", "xz", "lz4"])(
    "together with what %s made of it",
    async (program) => {
      const packed = await server.output([program, "-c"], plain);
      const cut = packed.subarray(0, Math.floor(packed.length * 0.7));
      await former.expectRefused(
        cut,
        "cut",
        /cut is damaged or truncated: .*; copy or dump it again/,
      );
    },
  );
});

describe("bytes that changed on the way are found", () => {
  test.each(["gzip", "bzip2", "zstd", "xz"])("in a plain dump packed with %s", async (program) => {
    const packed = await server.output([program, "-c"], plain);
    const changed = flipped(packed, Math.floor(packed.length * 0.6));
    await former.expectRefused(changed, "changed", /cause {5}/);
  });

  test("in a custom archive", async () => {
    const archive = await server.dump("source", "-Fc");
    const changed = flipped(archive, Math.floor(archive.length * 0.6));
    await former.expectRefused(
      changed,
      "changed.dump",
      /fix {7}the archive is truncated or damaged; copy or dump it again/,
    );
  });

  test("in the table of contents of a custom archive", async () => {
    const archive = await server.dump("source", "-Fc");
    await former.expectRefused(flipped(archive, 700), "changed.dump", /cause {5}/, {
      mayPass: true,
    });
  });
});

describe("an archive that is cut short is refused", () => {
  test.each([
    ["custom", ["-Fc"]],
    ["custom, uncompressed", ["-Fc", "-Z0"]],
    ["custom with zstd", ["-Fc", "-Zzstd"]],
    ["custom with lz4", ["-Fc", "-Zlz4"]],
    ["tar", ["-Ft"]],
  ])("%s", async (_, args) => {
    const archive = await server.dump("source", ...args);
    for (const share of [0.6, 0.99]) {
      const cut = archive.subarray(0, Math.floor(archive.length * share));
      await former.expectRefused(
        cut,
        "cut.dump",
        /truncated or damaged|damaged or truncated|not a dump/,
      );
    }
  });

  const largestFile = (folder: string): string => {
    const sizes = readdirSync(folder).filter((file) => /^\d+\.dat/.test(file));
    const [largest = ""] = sizes.sort(
      (a, b) => readFileSync(join(folder, b)).length - readFileSync(join(folder, a)).length,
    );
    return join(folder, largest);
  };

  test.each(["gzip", "zstd", "lz4", "none"])(
    "a folder with %s, one of its files cut",
    async (compression) => {
      const folder = await server.dumpFolder("source", `-Z${compression}`);
      const file = largestFile(folder);
      const bytes = readFileSync(file);
      const half = Math.floor(bytes.length / 2);
      truncateSync(file, compression === "none" ? bytes.lastIndexOf("\n", half) + 1 : half);
      await former.expectRefused(folder, "folder", /truncated|damaged/);
    },
  );

  test("a folder that lacks a file", async () => {
    const folder = await server.dumpFolder("source");
    rmSync(largestFile(folder));
    await former.expectRefused(folder, "folder", /could not open input file .*No such file/);
  });

  test("a folder with a cut or absent table of contents", async () => {
    const folder = await server.dumpFolder("source");
    truncateSync(join(folder, "toc.dat"), 500);
    await former.expectRefused(
      folder,
      "folder",
      /folder cannot be read: .*; it is truncated or damaged/,
    );
    rmSync(join(folder, "toc.dat"));
    await former.expectRefused(
      folder,
      "folder",
      /folder (?:is a folder without toc\.dat|cannot be read)/,
    );
    rmSync(folder, { recursive: true });
  });
});

describe("an archive of a newer PostgreSQL", () => {
  test("is refused for its format, with how to read it", async () => {
    const archive = await server.dump("source", "-Fc");
    expect(archive.subarray(5, 7)).toEqual(Buffer.from([1, 16]));
    archive[6] = 17;
    await former.expectRefused(
      archive,
      "new.dump",
      /is in archive format 1\.17, which a newer pg_dump wrote.*; write it as SQL with the pg_restore of that version \(pg_restore --file=dump\.sql new\.dump\)/,
    );
  });

  test("is tried, and what PostgreSQL here does not know is told as such", async () => {
    const archive = await server.dump("source", "-Fc", "-Z0");
    const said = archive.toString("latin1").replaceAll(/17(\.\d+ \(Debian)/g, "18$1");
    const broken = said.replace("CREATE INDEX", "CREATE INDEQ");
    await former.expectRefused(
      Buffer.from(broken, "latin1"),
      "new.dump",
      /42601.*INDEQ[^]*the dump is from PostgreSQL 18, and this server's 17 does not know everything in it/,
    );
    const { result } = await server.restore({
      database: "newer",
      dump: Buffer.from(said, "latin1"),
    });
    expect(result.result, result.text).toBe("restored");
  });
});
