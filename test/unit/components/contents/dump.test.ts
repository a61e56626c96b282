import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test, vi } from "vitest";
import * as fs from "node:fs";
import { digestOfFile } from "../../../../components/engine/digest";
import { readDump } from "../../../../components/contents/dump";
import { findContents } from "../../../../components/contents/find-contents";

// This function alone: a spy on the whole module replaces methods of streams, also for the tests of other files.
vi.mock("node:fs", async (importOriginal) => {
  const original = await importOriginal<typeof fs>();
  return { ...original, readSync: vi.fn(original.readSync) };
});

const folder = mkdtempSync(join(tmpdir(), "stagecraft-dump-"));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const plain =
  "--\n-- PostgreSQL database dump\n--\n\n--\n-- PostgreSQL database dump complete\n--\n";
const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

function write(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return name;
}

describe("a dump on this machine", () => {
  test("is known by its name and its SHA-256", () => {
    const path = write("dumps/pg_dump.production.timesheets.20261115.032900.sql", plain);
    expect(readDump(folder, path)).toEqual({
      path,
      isFolder: false,
      source: {
        name: "pg_dump.production.timesheets.20261115.032900.sql",
        sha256: sha256(plain),
        backup: "20261115T032900Z",
        server: "production",
      },
    });
  });

  test("may have any name", () => {
    write("any.sql", plain);
    expect(readDump("/", join(folder, "any.sql"))).toMatchObject({
      source: { name: "any.sql", sha256: sha256(plain) },
    });
  });

  test("may be a folder: its digest is that of its files' digests", () => {
    write("folder/toc.dat", "PGDMP");
    write("folder/1.dat", "one");
    const lines = [`${sha256("PGDMP")}  toc.dat\n`, `${sha256("one")}  1.dat\n`].sort();
    expect(readDump(folder, "folder")).toMatchObject({
      isFolder: true,
      source: { sha256: sha256(lines.join("")) },
    });
  });

  test.each([
    ["nowhere/a.sql", "there is no file nowhere/a.sql, nor its folder"],
    [
      "dumps/pg_dump.production.timesheets.20261115.032900.sq",
      "there is no file dumps/pg_dump.production.timesheets.20261115.032900.sq; is it pg_dump.production.timesheets.20261115.032900.sql?",
    ],
    ["dumps/other", "there is no file dumps/other; give the path from the project folder"],
    [
      write("empty.sql", ""),
      "empty.sql is empty: the disk was full or pg_dump failed; repeat the dump",
    ],
    [
      write("cut.sql", plain.slice(0, 60)),
      'cut.sql is truncated: the closing line "-- PostgreSQL database dump complete" is missing; dump or copy it again',
    ],
    [
      write("notes.txt", "buy milk"),
      'notes.txt is not a dump of pg_dump: it begins with "buy milk"; use a plain, custom, tar or directory dump',
    ],
    [
      dirname(write("music/song", "la")),
      "music is a folder without toc.dat, so not a dump of pg_dump -F d; use one, or a file",
    ],
  ])("%s is refused", (path, problem) => {
    expect(readDump(folder, path)).toEqual({ problem });
  });
});

describe("the data section", () => {
  const places = (database: string) => ({
    projectFolder: folder,
    namePrefix: "stagecraft",
    database,
  });

  test("leaves a backup of another server to the agent, by the server's volume or any other", () => {
    const backup = "20261116T032900Z";
    expect(findContents({ from: "server:prod", backup }, places("timesheets"))).toEqual({
      contents: { source: { name: backup, backup, repository: "stagecraft-prod-backups" } },
    });
    const accepted = { acceptUnverified: true, acceptKind: "staging" as const };
    expect(
      findContents({ from: "volume:elsewhere", backup, ...accepted }, places("timesheets")),
    ).toEqual({
      contents: { source: { name: backup, backup, repository: "elsewhere" }, ...accepted },
    });
  });

  test("leaves an off-site copy to the agent, with what opens it and what is accepted of it", () => {
    const backup = "20260116T032900Z";
    const offsite = { remote: "s3:backups/shop", options: {}, server: "prod", identity: "a key" };
    const accepted = { acceptUnverified: true, acceptKind: "staging" as const };
    const data = { from: "offsite", backup, offsite, ...accepted };
    expect(findContents(data, places("timesheets"))).toEqual({
      contents: {
        source: { name: backup, backup, repository: "s3:backups/shop/prod" },
        offsite,
        ...accepted,
      },
    });
  });

  test.each([
    [
      "server:production",
      'must name a server after "server:" (dev, staging, prod), got "server:production"',
    ],
    ["volume:", 'must name a volume of the engine after "volume:", got "volume:"'],
  ])("refuses %s", (from, text) => {
    expect(findContents({ from, backup: "20261116T032900Z" }, places("a"))).toEqual({
      problem: { path: "data.from", text },
    });
  });

  test("finds a backup in its folder", () => {
    write("found/pg_dump.production.timesheets.20261116.032900.sql", plain);
    const data = { from: "found", backup: "20261116T032900Z" };
    expect(findContents(data, places("timesheets"))).toMatchObject({
      contents: { path: "found/pg_dump.production.timesheets.20261116.032900.sql" },
    });
  });

  test("names a database in the dump of a whole cluster, and nowhere else", () => {
    const cluster = `--\n-- PostgreSQL database cluster dump\n--\n\\connect shop\n${plain}\\connect hr\n${plain}`;
    const dump = write("cluster.sql", cluster);
    expect(findContents({ dump }, places("a"))).toEqual({
      problem: {
        path: "data.dump",
        text: "cluster.sql is a dump of a whole cluster (pg_dumpall) with databases shop, hr; set data.database to the one to restore, e.g. data.database: shop",
      },
    });
    const acceptSchemaOnly = true;
    expect(findContents({ dump, database: "hr", acceptSchemaOnly }, places("a"))).toMatchObject({
      contents: { source: { name: "cluster.sql", database: "hr" }, acceptSchemaOnly },
    });
    expect(findContents({ dump: write("one.sql", plain), database: "hr" }, places("a"))).toEqual({
      problem: {
        path: "data.dump",
        text: "one.sql is not a dump of a whole cluster (pg_dumpall), so it has one database; remove data.database",
      },
    });
  });

  test("names the key that is wrong", () => {
    expect(findContents({ dump: "nowhere/a.sql" }, places("a"))).toMatchObject({
      problem: { path: "data.dump" },
    });
    expect(findContents({ from: "nowhere", backup: "20261116T032900Z" }, places("a"))).toEqual({
      problem: {
        path: "data.from",
        text: "there is no folder nowhere; give its path from the project folder",
      },
    });
    expect(findContents({ from: "found", backup: "20261117T032900Z" }, places("a"))).toEqual({
      problem: {
        path: "data.backup",
        text: "no backup 20261117T032900Z in the folder; the nearest: 20261116T032900Z",
      },
    });
  });
});

describe("the digest of a file", () => {
  const cache = join(folder, "cache");
  const path = join(folder, write("large.sql", plain.repeat(100_000)));
  const readCalls = (): number => {
    const before = vi.mocked(fs.readSync).mock.calls.length;
    digestOfFile(path, cache);
    return vi.mocked(fs.readSync).mock.calls.length - before;
  };

  test("is read in chunks once, and remembered", () => {
    expect(readCalls()).toBeGreaterThan(2);
    expect(readCalls()).toBe(0);
    expect(digestOfFile(path, cache)).toBe(sha256(plain.repeat(100_000)));
  });

  test("is read again when the file has changed", () => {
    appendFileSync(path, "more");
    expect(digestOfFile(path, cache)).toBe(sha256(`${plain.repeat(100_000)}more`));
  });

  test("is read again when other contents have the same size and time", () => {
    const { mtime, atime } = statSync(path);
    writeFileSync(path, `${plain.repeat(100_000)}MORE`);
    utimesSync(path, atime, mtime);
    expect(digestOfFile(path, cache)).toBe(sha256(`${plain.repeat(100_000)}MORE`));
  });

  test("survives a broken cache", () => {
    for (const name of fs.readdirSync(cache)) writeFileSync(join(cache, name), "rubbish");
    expect(digestOfFile(path, cache)).toBe(sha256(`${plain.repeat(100_000)}MORE`));
  });
});
