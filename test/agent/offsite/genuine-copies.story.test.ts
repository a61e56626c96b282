import { createHash, generateKeyPairSync } from "node:crypto";
import { beforeAll, describe, expect, test } from "vitest";
import { catalogueSchema } from "../../../model/backup/catalogue-protocol";
import type { RestoreRequest } from "../../../model/restore/protocol";
import { replaceFile, unsignedCopy } from "../../support/backups/forged-backup";
import {
  backupDigests,
  deleteBackup,
  listAllInRepository,
  markVerified,
  writeScriptedBackup,
} from "../../support/backups/scripted-backup";
import {
  manifestSha256,
  publicKeyOf,
  readSigningKey,
  signManifest,
} from "../../support/backups/signed-records";
import { useRemotes } from "../../support/offsite/remotes";
import { useServer, type CommandResult } from "../../support/servers/server";

const server = useServer({ backupsSize: "256m" });
const away = useRemotes(server);
const id = "20261121T032900Z";
const state = "/var/lib/stagecraft";
const knownFile = `${state}/offsite-copies.json`;
const stranger = generateKeyPairSync("ed25519").privateKey;
const age = { identity: "", recipient: "" };
let restores = 0;

beforeAll(async () => {
  age.identity = (await server.output(["age-keygen"])).toString();
  age.recipient = /public key: (\S+)/.exec(age.identity)?.[1] ?? "";
  await server.sql("postgres", "CREATE TABLE told AS SELECT 'far away' AS text");
});

async function configure(more: object = {}): Promise<void> {
  const request = {
    ...{ server: server.name, jobs: {}, maintenance: {}, keep: {}, pins: [] },
    offsite: { ...away.sftp(), recipients: [age.recipient] },
    ...more,
  };
  expect(await server.agent(["backups-schedule"], request)).toMatchObject({ status: 0 });
}

async function upload(): Promise<void> {
  const request = { server: server.name };
  expect(await server.agent(["offsite-upload"], request)).toMatchObject({ status: 0 });
}

async function fetch(accept?: string): Promise<CommandResult> {
  const { identity } = age;
  return server.agent(["offsite-fetch"], {
    ...{ server: server.name, of: server.name, id, identity, accept },
  });
}

/** Restores the copy into a database that has no contents yet. */
async function restoreCopy(more: Partial<RestoreRequest> = {}) {
  const { result, stderr } = await server.restoreReceived({
    database: `copied_${++restores}`,
    acceptUnverified: true,
    source: { name: id, backup: id, repository: `sftp:backups/${server.name}` },
    offsite: { ...away.sftp(), server: server.name, identity: age.identity },
    ...more,
  });
  return { ...result, stderr };
}

const place = (): string => `${away.folder("sftp")}/${server.name}/${id}.tar.age`;

/** A verified backup whose copy is uploaded. */
async function copyBackup(): Promise<void> {
  await server.run(["sh", "-c", "rm -rf /var/backups/stagecraft/*"]);
  await away.run("rm -rf /home/*/backups");
  await configure();
  await writeScriptedBackup(server, id);
  await markVerified(server, id);
  await upload();
}

/** Replaces the copy by a forged one that is encrypted for the same public key. */
async function replaceCopy(): Promise<void> {
  await replaceFile(away, place(), await unsignedCopy(server, id, age.recipient));
}

async function authenticityHere(): Promise<string | undefined> {
  const { stdout } = await server.agent(["backups"], { server: server.name, pins: [] });
  const { entries } = catalogueSchema.parse(JSON.parse(stdout));
  return entries.find((entry) => entry.id === id)?.authenticity?.state;
}

/** That the copy is neither fetched nor restored, for this reason, and that nothing of it stays. */
async function expectRejected(reason: RegExp): Promise<void> {
  const fetched = await fetch();
  expect(fetched).toMatchObject({ status: 1, stderr: expect.stringMatching(reason) as string });
  expect(fetched.stderr.trim().split("\n")).toHaveLength(1);
  const { result, text } = await restoreCopy();
  expect({ result, text }).toEqual({
    result: "failed",
    text: expect.stringMatching(reason) as string,
  });
  expect(await listAllInRepository(server)).toEqual(["records"]);
}

/** What makes this agent's memory of its uploads that of a machine that has lost it. */
const forget = async (...files: string[]): Promise<void> => {
  await server.output(["rm", "-f", ...files.map((file) => `${state}/${file}`)]);
};

/** The agent has made a signed backup: the helpers of these tests write theirs without it. */
async function setFirst(): Promise<void> {
  const signing = JSON.stringify({ since: "2026-11-01T00:00:00.000Z", first: id });
  await server.output(["sh", "-c", `cat >${state}/signing.json`], Buffer.from(signing));
}

describe("a copy that this agent remembers", () => {
  test("comes back as it was, signed and verified", async () => {
    await copyBackup();
    const before = await backupDigests(server, id);
    await deleteBackup(server, id);
    expect(await fetch()).toMatchObject({ status: 0, stderr: "" });
    expect(await backupDigests(server, id)).toBe(before);
    expect(await authenticityHere()).toBe("signed");
    expect((await restoreCopy()).result).toBe("restored");
  });

  test("is rejected when another one, encrypted for the same key, is in its place", async () => {
    await copyBackup();
    await replaceCopy();
    await deleteBackup(server, id);
    await expectRejected(
      /\.tar\.age was replaced: it has the SHA-256 [0-9a-f]{64}, but this server uploaded [0-9a-f]{64}; use another backup, or, if you are certain that it is genuine, accept its manifest/,
    );
  });

  test("and then is used only if its digest is accepted", async () => {
    const digest = /--accept (sha256:[0-9a-f]{64})/.exec((await fetch()).stderr)?.[1] ?? "";
    expect((await fetch(`sha256:${"0".repeat(64)}`)).stderr).toContain("was replaced");
    const { result, text } = await restoreCopy({ accept: digest });
    expect(result, text).toBe("restored");
    expect(await fetch(digest)).toMatchObject({ status: 0 });
    expect(`sha256:${await manifestSha256(server, id)}`).toBe(digest);
    expect(await authenticityHere()).toBe("accepted");
  });

  test("comes back unsigned, if an earlier version has uploaded it", async () => {
    await copyBackup();
    await setFirst();
    const copy = await unsignedCopy(server, id, age.recipient, false);
    await replaceFile(away, place(), copy);
    const known = JSON.parse((await server.output(["cat", knownFile])).toString()) as [
      { was: { offsite: { sha256: string } } },
    ];
    known[0].was.offsite.sha256 = createHash("sha256").update(copy).digest("hex");
    await server.output(["sh", "-c", `cat >${knownFile}`], Buffer.from(JSON.stringify(known)));
    await deleteBackup(server, id);
    expect(await fetch()).toMatchObject({ status: 0, stderr: "" });
    expect(await authenticityHere()).toBe("unsigned");
  });
});

describe("a copy that this agent does not remember", () => {
  test("comes back if this server has signed it", async () => {
    await copyBackup();
    await setFirst();
    await deleteBackup(server, id);
    await forget("offsite-copies.json", "trusted-keys.json");
    expect(await fetch()).toMatchObject({ status: 0 });
    expect(await authenticityHere()).toBe("signed");
  });

  test("brings back what was known of the others, so that the rules of retention go on", async () => {
    await copyBackup();
    await setFirst();
    const later = "20261122T032900Z";
    await writeScriptedBackup(server, later);
    await upload();
    const stranded = "20261120T032900Z";
    await away.run(`cp ${place()} ${place().replace(id, stranded)}`);
    for (const one of [id, later]) await deleteBackup(server, one);
    await forget("offsite-copies.json", "trusted-keys.json");
    const { identity } = age;
    const request = { server: server.name, of: server.name, id: later, identity };
    expect(await server.agent(["offsite-fetch"], request)).toMatchObject({ status: 0 });
    expect(await listAllInRepository(server)).toEqual([later, "records"]);
    const known = JSON.parse((await server.output(["cat", knownFile])).toString()) as unknown;
    expect(known).toMatchObject([
      { id, isVerified: true, was: { verification: { result: "passed", restored: true } } },
    ]);
    // Of the copy that nobody knows nothing is said, and it stays.
    await upload();
    expect(await away.files("sftp")).toContain(`${server.name}/${stranded}.tar.age`);
    await deleteBackup(server, later);
    await away.run(`rm -f ${place().replace(id, "*")}`);
  });

  test("is rejected without a signature", async () => {
    await copyBackup();
    await setFirst();
    await replaceCopy();
    await deleteBackup(server, id);
    await forget("offsite-copies.json", "trusted-keys.json");
    await expectRejected(
      /is rejected: backup \S+ has no signature, although its server signs its backups/,
    );
  });

  test("is rejected with the signature of another key", async () => {
    await copyBackup();
    await setFirst();
    await signManifest(server, id, stranger);
    await configure({ signedBy: [publicKeyOf(stranger)] });
    await away.run(`rm ${place()}`);
    await upload();
    await configure();
    await deleteBackup(server, id);
    await forget("offsite-copies.json", "trusted-keys.json");
    await expectRejected(
      new RegExp(
        `is rejected: backup ${id} is signed with the key ${publicKeyOf(stranger).replace(/[+/]/g, "\\$&")}, which this server does not trust`,
      ),
    );
  });

  test("comes back if the stack names that key, as for a server that was recreated", async () => {
    const signedBy = publicKeyOf(stranger);
    expect((await restoreCopy({ signedBy })).result).toBe("restored");
    await configure({ signedBy: [signedBy] });
    expect(await fetch()).toMatchObject({ status: 0 });
    expect(await authenticityHere()).toBe("fetched");
  });

  test("comes back on a machine that has never signed anything, and its key is trusted from then on", async () => {
    await deleteBackup(server, id);
    await configure();
    await forget("offsite-copies.json", "trusted-keys.json", "signing.json");
    const fetched = await fetch();
    expect(fetched.status, fetched.stderr).toBe(0);
    expect(fetched.stderr).toContain(
      `trusting the key ${publicKeyOf(stranger)} for sftp:backups/${server.name} from now on, because this is its first signed backup here`,
    );
    await replaceCopy();
    await deleteBackup(server, id);
    expect((await fetch()).stderr).toContain("has no signature");
  });
});

describe("neither key nor signature", () => {
  test("is the private key anywhere but in its file", async () => {
    const key = await readSigningKey(server);
    const secret = key.export({ format: "jwk" }).d ?? "";
    const raw = Buffer.from(secret, "base64url").toString("base64");
    const search = `grep -rlaF -e '${raw}' -e '${secret}' /var/lib/stagecraft /var/backups /tmp | grep -v signing-key.pem; true`;
    expect((await server.run(["sh", "-c", search])).stdout).toBe("");
  });
});
