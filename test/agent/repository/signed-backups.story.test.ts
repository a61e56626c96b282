import { generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { jobResultSchema } from "../../../model/backup/protocol";
import { catalogueSchema } from "../../../model/backup/catalogue-protocol";
import type { CatalogueEntry } from "../../../model/backup/catalogue";
import { observationSchema } from "../../../model/observation/observation";
import type { RestoreRequest } from "../../../model/restore/protocol";
import { backUpWell, schedule } from "../../support/backups/agent-backups";
import { repository, verifyBackup, writeDumpedBackup } from "../../support/backups/dumped-backup";
import { forgeBackup } from "../../support/backups/forged-backup";
import {
  manifestSha256,
  publicKeyOf,
  readSigningKey,
  signManifest,
} from "../../support/backups/signed-records";
import { useServer } from "../../support/servers/server";

const server = useServer({ readsBackups: true });
const ids: string[] = [];
let restores = 0;
const stranger = generateKeyPairSync("ed25519").privateKey;

beforeAll(async () => {
  await server.createDatabase("shop", "CREATE TABLE t AS SELECT 1 AS n");
});

/** A backup that the agent has made; its id. */
async function backUp(): Promise<string> {
  const { id } = await backUpWell(server);
  ids.push(id);
  return id;
}

async function entryOf(id: string): Promise<CatalogueEntry | undefined> {
  const { stdout } = await server.agent(["backups"], { server: server.name, pins: [] });
  return catalogueSchema.parse(JSON.parse(stdout)).entries.find((entry) => entry.id === id);
}

/** Restores a backup from the volume as that of another server, into a database that has no contents yet. */
async function restoreFrom(backup: string, more: Partial<RestoreRequest> = {}) {
  const database = `copied_${++restores}`;
  const restored = await server.restoreReceived({
    database,
    source: { name: backup, backup, repository: "prod-backups" },
    acceptUnverified: true,
    ...more,
  });
  // The next backup has no copies in it.
  await server.sql("postgres", `DROP DATABASE IF EXISTS ${database} WITH (FORCE)`);
  return restored;
}

const digestOf = async (id: string): Promise<string> =>
  `sha256:${await manifestSha256(server, id)}`;
const record = (id: string, name: string): string => `${repository}/records/${id}/${name}.json`;

async function stripSignature(id: string): Promise<void> {
  await server.output(["rm", record(id, "signature")]);
}

/** That a backup counts for nothing, and is neither verified nor restored nor sent, for this reason. */
async function expectRejected(id: string, reason: RegExp): Promise<void> {
  const entry = await entryOf(id);
  expect(entry?.authenticity).toMatchObject({
    state: "rejected",
    problem: expect.stringMatching(reason) as string,
  });
  const verified = await verifyBackup(server, id);
  expect(verified).toMatchObject({ status: 1, stderr: expect.stringMatching(reason) as string });
  const { result } = await restoreFrom(id);
  expect(result).toMatchObject({ result: "failed", text: expect.stringMatching(reason) as string });
  expect(await server.agent(["backups-send", id])).toMatchObject({ status: 1, stdout: "" });
}

describe("a backup that is made", () => {
  test("is signed with a key that is the agent's alone, and whose public half is shown", async () => {
    const id = await backUp();
    const key = await readSigningKey(server);
    const mode = await server.run(["stat", "-c", "%a", "/var/lib/stagecraft/signing-key.pem"]);
    expect(mode.stdout).toBe("600\n");
    const observed = observationSchema.parse(JSON.parse((await server.agent(["observe"])).stdout));
    expect(observed.backups).toMatchObject({ signingKey: publicKeyOf(key), rejected: [] });
    expect((await entryOf(id))?.authenticity).toMatchObject({
      ...{ state: "signed", key: publicKeyOf(key), manifest: await manifestSha256(server, id) },
    });
    expect(await verifyBackup(server, id)).toMatchObject({ status: 0 });
    expect((await entryOf(id))?.verification).toMatchObject({ result: "passed", restored: true });
  });

  test("is not verified by the record of another one", async () => {
    const [first = ""] = ids;
    const id = await backUp();
    await server.output(["cp", record(first, "verification"), record(id, "verification")]);
    expect((await entryOf(id))?.verification).toBeNull();
    const { result } = await restoreFrom(id, { acceptUnverified: false });
    expect(result.text).toContain(`backup ${id} of ${server.name} is unverified`);
  });
});

describe("another server trusts the key of the first backup that it restores", () => {
  test("and says so once", async () => {
    const [first = ""] = ids;
    const { result, stderr } = await restoreFrom(first, { acceptUnverified: false });
    expect(result.result, result.text).toBe("restored");
    const key = publicKeyOf(await readSigningKey(server));
    const text = `trusting the key ${key} for prod-backups from now on, because this is its first signed backup here`;
    expect(stderr).toContain(text);
    const again = await restoreFrom(first, { acceptUnverified: false });
    expect(again.result.result, again.result.text).toBe("restored");
    expect(again.stderr).not.toContain("trusting the key");
  });

  test("and no other key from then on, unless the stack names it", async () => {
    const id = await backUp();
    await signManifest(server, id, stranger);
    const signedBy = publicKeyOf(stranger);
    const other = await restoreFrom(id);
    expect(other.result).toMatchObject({
      result: "failed",
      text: expect.stringContaining(
        `backup ${id} is signed with the key ${signedBy}, which this server does not trust; if it is the key that npx stagecraft status shows for that server, set data.signedBy: ${signedBy}`,
      ) as string,
    });
    const named = await restoreFrom(id, { signedBy });
    expect(named.result.result, named.result.text).toBe("restored");
    expect(named.stderr).toContain(`trusting the key ${signedBy} for prod-backups from now on`);
    await server.output(["rm", "-f", "/var/lib/stagecraft/trusted-keys.json"]);
    await signManifest(server, id);
  });
});

describe("a backup is rejected", () => {
  test("when its manifest was edited, with all digests made to fit", async () => {
    const id = await backUp();
    expect(await verifyBackup(server, id)).toMatchObject({ status: 0 });
    await forgeBackup(server, id);
    await expectRejected(id, /the signature of backup \S+ does not match its manifest/);
    expect((await entryOf(id))?.verification).toBeNull();
  });

  test("when its signature was removed, even if it was verified", async () => {
    const id = await backUp();
    expect(await verifyBackup(server, id)).toMatchObject({ status: 0 });
    await stripSignature(id);
    await expectRejected(id, /backup \S+ has no signature, although its server signs its backups/);
  });

  test("when it was put there with an old id and without a signature", async () => {
    const id = "20200101T000000Z";
    await writeDumpedBackup(server, { id, database: "shop" });
    await stripSignature(id);
    await expectRejected(id, /backup 20200101T000000Z has no signature/);
  });

  test("and the nightly job reports it, verifies the others and deletes nothing", async () => {
    const good = await backUp();
    await schedule(server, {});
    const verifying = { schedule: "0 0 29 2 *", missed: "wait" };
    const request = { server: server.name, jobs: {}, maintenance: {}, keep: { last: 1 }, pins: [] };
    await server.agent(["backups-schedule"], { ...request, verify: verifying });
    const { stdout } = await server.agent(["job", "verification", "verify"]);
    const result = jobResultSchema.parse(JSON.parse(stdout));
    expect(result).toMatchObject({ succeeded: false, backup: good });
    expect(result.text).toContain("backup 20200101T000000Z has no signature");
    expect((await entryOf("20200101T000000Z"))?.backup).not.toBeNull();
  });

  test("until an operator accepts the digest of its manifest", async () => {
    const id = "20200101T000000Z";
    const wrong = `sha256:${"0".repeat(64)}`;
    const refused = await server.agent(["verify"], {
      ...{ server: server.name, backup: id, accept: wrong },
    });
    expect(refused).toMatchObject({
      status: 1,
      stderr: `the manifest of backup ${id} has the digest ${await digestOf(id)}, not ${wrong}\n`,
    });
    const restored = await restoreFrom(id, { accept: await digestOf(id) });
    expect(restored.result.result, restored.result.text).toBe("restored");
    const request = { server: server.name, backup: id, accept: await digestOf(id) };
    expect(await server.agent(["verify"], request)).toMatchObject({ status: 0 });
    const entry = await entryOf(id);
    expect(entry).toMatchObject({
      authenticity: { state: "accepted", problem: null },
      verification: { result: "passed", restored: true },
    });
    expect((await restoreFrom(id, { acceptUnverified: false })).result.result).toBe("restored");
  });
});

describe("backups of an earlier version", () => {
  /** Leaves the volumes as an earlier version leaves them: without keys and signatures. */
  async function asEarlierVersion(): Promise<void> {
    const strip = `const fs = require("fs"); for (const file of process.argv.slice(1)) {
      const { signature, manifest, ...record } = JSON.parse(fs.readFileSync(file)); fs.writeFileSync(file, JSON.stringify(record)); }`;
    const state = "/var/lib/stagecraft";
    await server.output([
      ...["bash", "-ec"],
      `cd ${repository}/records && rm -f */signature.json && shopt -s nullglob && node -e '${strip}' */verification.json */offsite.json
       rm -f ${state}/signing-key.pem ${state}/signing.json ${state}/trusted-keys.json`,
    ]);
  }

  test("stay usable and verified, and are shown as unsigned", async () => {
    await server.output(["sh", "-c", `rm -rf ${repository}/*`]);
    const id = await backUp();
    expect(await verifyBackup(server, id)).toMatchObject({ status: 0 });
    await asEarlierVersion();
    // Before this server signs anything, another one that reads its volume takes them as they are.
    const entry = await entryOf(id);
    expect(entry).toMatchObject({
      ...{ authenticity: { state: "unsigned" }, verification: { result: "passed" } },
    });
    const { result } = await restoreFrom(id, { acceptUnverified: false });
    expect(result.result, result.text).toBe("restored");
    expect(await verifyBackup(server, id)).toMatchObject({ status: 0 });
    expect(await server.agent(["backups-send", id])).toMatchObject({ status: 0 });
  });

  test("are no others than those that were there when signing began", async () => {
    const id = "20200102T000000Z";
    await writeDumpedBackup(server, { id, database: "shop" });
    await stripSignature(id);
    await expectRejected(id, /has no signature/);
  });
});
