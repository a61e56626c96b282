import fc from "fast-check";
import { createHash, generateKeyPairSync, type KeyObject } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import { parseRecord } from "../../../../agent/repository/records";
import { readBackupCatalogue } from "../../../../agent/repository/repository";
import { judgeBackup, type Trust } from "../../../../model/backup/authenticity";
import { isVerified, type CatalogueEntry } from "../../../../model/backup/catalogue";
import { manifestSchema, type Manifest } from "../../../../model/backup/manifest";
import { applyRetention } from "../../../../model/backup/retention";
import { manifestDigest } from "../../../../model/backup/signature";
import { publicKeyOf, recordText, type Facts } from "../../../support/backups/signed-records";

const folder = mkdtempSync(join(tmpdir(), "stagecraft-forgeries-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const [first, second] = ["20261120T032900Z", "20261121T032900Z"] as const;
const newKey = (): KeyObject => generateKeyPairSync("ed25519").privateKey;
const key = newKey();
const trust: Trust = {
  keys: [publicKeyOf(key)],
  ...{ firstUse: false, acceptsUnsigned: false, scope: "own repository" },
};

const manifestOf = (id: string): Manifest => ({
  ...{ format: 1, id, server: "prod", kind: "production", job: "nightly" },
  ...{ startedAt: "2026-11-21T03:29:00.000Z", finishedAt: "2026-11-21T03:30:00.000Z" },
  postgres: { version: "17.6", systemIdentifier: "7300000000000000001" },
  ...{ agentVersion: "1.0.0", applicationRevision: "4f2c9e1" },
  databases: [
    {
      ...{ name: "shop", dump: `${id}.dir`, format: "directory", compression: "zstd", parallel: 2 },
      ...{ encoding: "UTF8", locale: "C", bytes: 1000, largeObjects: 1, seconds: 2 },
      tables: [{ schema: "public", name: "users", rows: 3 }],
      extensions: [{ name: "pg_trgm", version: "1.6" }],
    },
  ],
  files: [{ path: `${id}.dir/toc.dat`, bytes: 10, sha256: "a".repeat(64) }],
});

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** The texts of a backup's evidence, as its agent has written them. */
function evidenceOf(id: string, by = key): Record<string, string> {
  const text = JSON.stringify(manifestOf(id));
  const manifest = sha256(text);
  const at = "2026-11-21T05:29:00.000Z";
  const verification = {
    ...{ checkedAt: at, result: "passed", from: "repository", restored: true, seconds: 3.5 },
    ...{ text: "restored 1 database", manifest },
  };
  const offsite = {
    ...{ result: "uploaded", remote: `sftp:backups/prod/${id}.tar.age`, at, bytes: 5000 },
    ...{ sha256: "b".repeat(64), text: "uploaded", manifest },
  };
  const attempt = {
    ...{ id, job: "nightly", startedAt: "2026-11-21T03:29:00.000Z", finishedAt: at },
    ...{ result: "failed", text: "the disk is full", logs: [`${id}-backup.log`] },
  };
  return {
    manifest: text,
    attempt: recordText(id, "attempt", attempt, by),
    signature: recordText(id, "signature", { manifest, reason: "made", at }, by),
    verification: recordText(id, "verification", verification, by),
    offsite: recordText(id, "offsite", offsite, by),
  };
}

/** Writes evidence under a backup's id, with the SHA-256 that fits the manifest, as anyone can. */
function write(id: string, { manifest, ...records }: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, id), { recursive: true });
  mkdirSync(join(folder, "records", id), { recursive: true });
  if (manifest !== undefined) {
    writeFileSync(join(folder, id, "manifest.json"), manifest);
    writeFileSync(join(folder, id, "manifest.sha256"), `${sha256(manifest)}  manifest.json\n`);
  }
  for (const [name, text] of Object.entries(records))
    writeFileSync(join(folder, "records", id, `${name}.json`), text);
}

beforeEach(() => {
  rmSync(folder, { recursive: true, force: true });
  for (const id of [first, second]) write(id, evidenceOf(id));
});

async function entryOf(id: string, by = trust): Promise<CatalogueEntry | undefined> {
  return (await readBackupCatalogue([], folder, by)).find((entry) => entry.id === id);
}

/** That a backup is neither verified nor counted by the rules of retention. */
async function expectNotCounted(id: string): Promise<void> {
  const catalogue = await readBackupCatalogue([], folder, trust);
  const entry = catalogue.find((entry) => entry.id === id);
  expect(entry && isVerified(entry)).toBeFalsy();
  const decisions = applyRetention(catalogue, { daily: 7 }, { now: new Date("2026-11-22") });
  expect(decisions.find((decision) => decision.id === id)?.rules ?? []).not.toContain("daily");
}

type Path = readonly (string | number)[];

/** The paths of all values in a JSON document that have no values below them. */
function leavesOf(value: unknown, path: Path = []): Path[] {
  if (typeof value !== "object" || value === null) return [path];
  return Object.entries(value).flatMap(([name, below]) =>
    leavesOf(below, [...path, Array.isArray(value) ? Number(name) : name]),
  );
}

/** The document with another value at a path; without it, where the value is `undefined`. */
function withValue(document: unknown, [name, ...rest]: Path, value: unknown): unknown {
  if (name === undefined) return value;
  const copy = structuredClone(document) as Record<string | number, unknown>;
  copy[name] = withValue(copy[name], rest, value);
  return copy;
}

const valueAt = (document: unknown, path: Path): unknown =>
  path.reduce((value, name) => (value as Record<string | number, unknown>)[name], document);

/** Other values for a field: one of its kind, and none. */
function otherValue(was: unknown): unknown {
  if (typeof was === "number") return was + 1;
  if (typeof was === "boolean") return !was;
  const text = String(was);
  // Enumerations are changed to another of their values, times to another time.
  const known = ["made", "accepted", "passed", "failed", "uploaded", "removed", "repository"];
  if (text.startsWith("2026-")) return text.replace("2026-", "2025-");
  if (text === "off-site" || text === "repository") return "off-site";
  if (known.includes(text)) return text === "failed" ? "backed up" : "failed";
  return (text.startsWith("a") ? "b" : "a") + text.slice(1);
}

/** A value that need not be of the field's kind. */
const anyValue = fc.oneof(
  fc.constantFrom(...["made", "accepted", "fetched", "passed", "failed", "uploaded", "staging"]),
  fc.constantFrom("2026-11-22T05:29:00.000Z", second, "c".repeat(64), publicKeyOf(newKey()), ""),
  fc.constantFrom(null, true, false, [], {}),
  fc.double({ min: 0, max: 1e6, noNaN: true }),
  fc.string({ maxLength: 20 }),
);

/** A document of a backup with one field altered. */
interface Forgery {
  readonly name: string;
  readonly path: Path;
  readonly text: string;
}

const documents = ["manifest", "attempt", "signature", "verification", "offsite"] as const;

const documentOf = (name: string): unknown => JSON.parse(evidenceOf(first)[name] ?? "");

function forged(name: string, path: Path, value: unknown): Forgery {
  return { name, path, text: JSON.stringify(withValue(documentOf(name), path, value)) };
}

/** Every field of every document, with another value and without one. */
const everyField = documents.flatMap((name) =>
  leavesOf(documentOf(name)).flatMap((path) => [
    forged(name, path, otherValue(valueAt(documentOf(name), path))),
    forged(name, path, undefined),
  ]),
);

/** Any field with any value; the same ones in every run. */
const randomForgery: fc.Arbitrary<Forgery> = fc
  .constantFrom(
    ...documents.flatMap((name) => leavesOf(documentOf(name)).map((path) => ({ name, path }))),
  )
  .chain(({ name, path }) =>
    anyValue
      .filter((value) => JSON.stringify(value) !== JSON.stringify(valueAt(documentOf(name), path)))
      .map((value) => forged(name, path, value)),
  );
const random = fc.sample(randomForgery, { numRuns: 200 - everyField.length, seed: 14 });

test("as they were written, backups are signed, verified and counted", async () => {
  for (const id of [first, second]) {
    const entry = await entryOf(id);
    expect(entry?.authenticity).toMatchObject({ state: "signed", problem: null });
    expect(entry && isVerified(entry)).toBe(true);
    expect(entry?.offsite?.result).toBe("uploaded");
  }
});

test("200 forgeries of a single field of a manifest or record, of every field at least two, are all rejected with a sentence", async () => {
  const forgeries = [...everyField, ...random];
  expect(forgeries).toHaveLength(200);
  for (const { name, path, text } of forgeries) {
    write(first, { ...evidenceOf(first), [name]: text });
    const what = `${name} ${path.join(".")}: ${text}`;
    const catalogue = await readBackupCatalogue([], folder, trust);
    const [entry, other] = [first, second].map((id) => catalogue.find((found) => found.id === id));
    if (name === "manifest" || name === "signature") {
      await expectNotCounted(first);
      // A manifest that cannot be parsed is none: the backup is missing.
      if (entry?.backup) {
        expect(entry.authenticity?.state, what).toBe("rejected");
        expect(entry.authenticity?.problem, what).toContain(`backup ${first}`);
      } else expect(name, what).toBe("manifest");
    } else {
      expect(entry?.[name as "attempt" | "verification" | "offsite"], what).toBeNull();
      expect(entry?.rejectedRecords, what).toEqual([expect.stringContaining("does not count")]);
      expect(entry && isVerified(entry), what).toBe(name !== "verification");
    }
    // Others are not harmed.
    expect(other?.authenticity?.state).toBe("signed");
    expect(other?.rejectedRecords).toBeUndefined();
  }
});

test("the same forgeries of an off-site copy are all rejected with a sentence", () => {
  const inCopy = [...everyField, ...random].filter(({ name }) =>
    ["manifest", "signature"].includes(name),
  );
  expect(inCopy.length).toBeGreaterThan(80);
  for (const { name, path, text } of inCopy) {
    const copy = { ...evidenceOf(first), [name]: text };
    const parsed = manifestSchema.safeParse(JSON.parse(copy["manifest"] ?? "")).data;
    if (!parsed) continue;
    const signature = parseRecord(first, "signature", copy["signature"]);
    const backup = { id: first, manifestId: parsed.id, sha256: sha256(copy["manifest"] ?? "") };
    const judged = judgeBackup({ ...backup, signature }, { ...trust, scope: "restored copy" });
    expect(judged.state, `${name} ${path.join(".")}`).toBe("rejected");
    expect(judged.problem).toContain(`backup ${first}`);
  }
});

describe("the record of an attempt", () => {
  test("that a stranger wrote neither hides that the last backup failed nor invents a failure", async () => {
    const { attempt = "" } = evidenceOf(first);
    const id = "20261121T102900Z";
    const { signature, ...facts } = JSON.parse(attempt) as Facts;
    expect(signature).toBeDefined();
    const made = { ...facts, id, result: "backed up" };
    for (const text of [
      JSON.stringify(made),
      recordText(id, "attempt", made, newKey()),
      attempt,
      JSON.stringify({ ...made, signature }),
    ]) {
      write(id, { attempt: text });
      expect(await entryOf(id)).toBeUndefined();
      expect((await entryOf(first))?.attempt?.result).toBe("failed");
    }
    write(id, { attempt: recordText(id, "attempt", made, key) });
    expect((await entryOf(id))?.attempt?.result).toBe("backed up");
  });
});

describe("evidence is rejected, with a sentence,", () => {
  test("when a record is copied from another backup", async () => {
    const { verification = "", signature = "" } = evidenceOf(second);
    write(first, { verification });
    await expectNotCounted(first);
    write(first, { ...evidenceOf(first), signature });
    await expectNotCounted(first);
    expect((await entryOf(first))?.authenticity?.problem).toBe(
      `the signature of backup ${first} does not match its manifest: one of them was altered; use another backup, or, if you are certain that it is genuine, accept its manifest: npx stagecraft backups verify <stack> ${first} --accept ${manifestDigest(sha256(JSON.stringify(manifestOf(first))))}`,
    );
  });

  test("when a whole backup is copied under another id", async () => {
    const id = "20261119T032900Z";
    write(id, evidenceOf(second));
    await expectNotCounted(id);
    expect((await entryOf(id))?.authenticity?.problem).toBe(
      `the manifest of backup ${id} is of backup ${second}; use another backup`,
    );
  });

  test("when everything of a backup is signed with another key", async () => {
    const stranger = newKey();
    write(first, evidenceOf(first, stranger));
    await expectNotCounted(first);
    expect((await entryOf(first))?.authenticity?.problem).toContain(
      `backup ${first} is signed with the key ${publicKeyOf(stranger)}, which this server does not trust; if it is the key that this server had before it was recreated, add ${publicKeyOf(stranger)} to backups.signedBy; otherwise use another backup`,
    );
    const keys = [...trust.keys, publicKeyOf(stranger)];
    expect((await entryOf(first, { ...trust, keys }))?.authenticity?.state).toBe("signed");
  });

  test("when the signatures are removed", async () => {
    const strip = (text = ""): string => {
      const { signature, ...record } = JSON.parse(text) as Facts;
      expect(signature).toBeDefined();
      return JSON.stringify(record);
    };
    const { verification, manifest = "" } = evidenceOf(first);
    rmSync(join(folder, "records", first), { recursive: true });
    write(first, { manifest, verification: strip(verification) });
    await expectNotCounted(first);
    expect((await entryOf(first))?.authenticity?.problem).toContain(
      `backup ${first} has no signature, although its server signs its backups`,
    );
  });
});

describe("a backup of an earlier version", () => {
  const unsigned: Trust = { ...trust, keys: [], firstUse: true, acceptsUnsigned: true };

  test("counts while nothing shows that its server signs, and is shown as unsigned", async () => {
    const { manifest = "", verification = "" } = evidenceOf(first);
    const { signature, manifest: _, ...record } = JSON.parse(verification) as Facts;
    expect(signature).toBeDefined();
    rmSync(join(folder, "records", first), { recursive: true });
    write(first, { manifest, verification: JSON.stringify(record) });
    const entry = await entryOf(first, unsigned);
    expect(entry?.authenticity?.state).toBe("unsigned");
    expect(entry && isVerified(entry)).toBe(true);
  });

  test("lends its record to no signed one", async () => {
    const { verification = "" } = evidenceOf(first);
    const { signature, ...record } = JSON.parse(verification) as Facts;
    expect(signature).toBeDefined();
    write(first, { verification: JSON.stringify(record) });
    const entry = await entryOf(first, unsigned);
    expect(entry?.authenticity?.state).toBe("signed");
    expect(entry?.verification).toBeNull();
  });
});

describe("paths do not leave the folder of a backup", () => {
  const bad = ["/etc/passwd", "../x", "a/../../x", "a\0b", "", ".", "a//b", "a/./b", "a/", "x\ny"];

  test.each(bad)("of a file: %j", (path) => {
    const file = { path, bytes: 1, sha256: "a".repeat(64) };
    const { success } = manifestSchema.safeParse({ ...manifestOf(first), files: [file] });
    expect(success).toBe(false);
  });

  test.each(bad)("of a dump: %j", (dump) => {
    const databases = manifestOf(first).databases.map((database) => ({ ...database, dump }));
    const { success } = manifestSchema.safeParse({ ...manifestOf(first), databases });
    expect(success).toBe(false);
  });

  test("by a symbolic link in place of the manifest, a record or the folder", async () => {
    const secret = join(folder, "secret.json");
    writeFileSync(secret, readFileSync(join(folder, first, "manifest.json")));
    rmSync(join(folder, first, "manifest.json"));
    symlinkSync(secret, join(folder, first, "manifest.json"));
    expect((await entryOf(first))?.backup).toBeNull();

    write(first, {});
    rmSync(join(folder, first), { recursive: true });
    symlinkSync(join(folder, second), join(folder, first));
    expect((await entryOf(first))?.backup).toBeNull();

    rmSync(join(folder, "records", second, "verification.json"));
    symlinkSync(secret, join(folder, "records", second, "verification.json"));
    expect((await entryOf(second))?.verification).toBeNull();
  });
});
