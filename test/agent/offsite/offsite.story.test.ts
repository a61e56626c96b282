import { describe, expect, test } from "vitest";
import { offsiteCopySchema } from "../../../model/backup/catalogue";
import { catalogueSchema } from "../../../model/backup/catalogue-protocol";
import { offsiteListSchema, offsiteUploadSchema } from "../../../model/backup/offsite-protocol";
import { availableBackupsSchema } from "../../../model/restore/available-backups";
import { refreshPlanSchema } from "../../../model/restore/refresh-plan";
import { observationSchema } from "../../../model/observation/observation";
import { useRemotes } from "../../support/offsite/remotes";
import {
  backupDigests,
  deleteBackup,
  writeScriptedBackup,
  markVerified,
  listAllInRepository,
} from "../../support/backups/scripted-backup";
import { useServer, type CommandResult } from "../../support/servers/server";

const server = useServer({ backupsSize: "256m" });
const away = useRemotes(server);

type Place = ReturnType<typeof away.sftp> | ReturnType<typeof away.s3>;

/** Puts a place for copies in force. */
async function configure(
  place: Place,
  more: object = {},
  jobs: object = {},
): Promise<CommandResult> {
  const offsite = { ...place, recipients: [(await keys()).recipient], ...more };
  return server.agent(["backups-schedule"], {
    server: server.name,
    jobs,
    maintenance: {},
    keep: {},
    pins: [],
    offsite,
  });
}

let made: { identity: string; recipient: string } | undefined;

/** A pair of keys; the private one is never on the server. */
async function keys(): Promise<{ identity: string; recipient: string }> {
  made ??= await newKeys();
  return made;
}

async function newKeys(): Promise<{ identity: string; recipient: string }> {
  const identity = (await server.output(["age-keygen"])).toString();
  return { identity, recipient: /public key: (\S+)/.exec(identity)?.[1] ?? "" };
}

async function upload(): Promise<CommandResult & { readonly results: string[] }> {
  const said = await server.agent(["offsite-upload"], { server: server.name });
  const parsed =
    said.stdout === "" ? undefined : offsiteUploadSchema.parse(JSON.parse(said.stdout));
  const results = (parsed?.copies ?? []).map(({ id, copy }) => `${id} ${copy.result}`);
  return { ...said, results };
}

async function listRaw(): Promise<CommandResult> {
  return server.agent(["offsite"], { server: server.name, of: server.name });
}

async function list(): Promise<string[]> {
  const { stdout } = await listRaw();
  return offsiteListSchema.parse(JSON.parse(stdout)).copies.map(({ id }) => id);
}

async function fetch(id: string, identity?: string): Promise<CommandResult> {
  const request = { server: server.name, of: server.name, id };
  return server.agent(["offsite-fetch"], {
    ...request,
    identity: identity ?? (await keys()).identity,
  });
}

async function recordOf(id: string) {
  const { stdout } = await server.run([
    "cat",
    `/var/backups/stagecraft/records/${id}/offsite.json`,
  ]);
  const { signature, ...record } = JSON.parse(stdout) as Record<string, unknown>;
  expect(signature).toBeDefined();
  return offsiteCopySchema.parse(record);
}

/** Arguments and environments of all programs. */
const everyArgument = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'";

/** Kills the programs whose arguments are like this, without a word to them. */
function killAll(pattern: string): string {
  return `for p in /proc/[0-9]*; do grep -qaE '${pattern}' $p/cmdline && kill -9 \${p#/proc/}; done 2>/dev/null`;
}

async function untilRunning(pattern: string): Promise<void> {
  const wait = `until grep -qa '${pattern}' /proc/[0-9]*/cmdline 2>/dev/null; do sleep 0.02; done`;
  await server.run(["sh", "-c", wait]);
}

/** Removes all backups and all copies. */
async function clear(): Promise<void> {
  await server.run(["sh", "-c", "rm -rf /var/backups/stagecraft/*"]);
  await away.run("rm -rf /home/*/backups /full/backups /srv/s3/backups");
}

describe.each(["sftp", "s3"] as const)("a copy by %s", (kind) => {
  const id = "20261121T032900Z";
  const name = `${id}.tar.age`;

  test("is there under its name alone, encrypted, and what is recorded of it was read back", async () => {
    await clear();
    expect(await configure(away[kind]())).toMatchObject({ status: 0 });
    await writeScriptedBackup(server, id, 12);
    expect(await upload()).toMatchObject({ status: 0, results: [`${id} uploaded`], stderr: "" });
    expect(await away.files(kind)).toEqual([`${server.name}/${name}`]);
    const file = `${away.folder(kind)}/${server.name}/${name}`;
    const there = await away.run(`sha256sum < ${file}; wc -c < ${file}; head -c 21 ${file}`);
    const [sha256 = "", bytes, head] = there.split("\n");
    expect(head).toBe("age-encryption.org/v1");
    expect(await recordOf(id)).toMatchObject({
      result: "uploaded",
      remote: `${kind}:backups/${server.name}/${name}`,
      bytes: Number(bytes),
      sha256: sha256.split(" ")[0],
    });
  });

  test("is not made again", async () => {
    expect(await upload()).toMatchObject({ status: 0, results: [] });
  });

  test("is found and comes back, file by file, when nothing is left on the server", async () => {
    const before = await backupDigests(server, id);
    expect(before.split("\n").length).toBeGreaterThan(4);
    await deleteBackup(server, id);
    expect(await list()).toEqual([id]);
    expect(await fetch(id)).toMatchObject({ status: 0, stderr: "" });
    expect(await backupDigests(server, id)).toBe(before);
    expect(await listAllInRepository(server)).toEqual([id, "records"]);
    expect(await recordOf(id)).toMatchObject({ result: "uploaded", text: "fetched" });
  });

  test("is made again when the one that is there was cut", async () => {
    await away.run(`truncate -s -1 ${away.folder(kind)}/${server.name}/${name}`);
    expect(await upload()).toMatchObject({ results: [`${id} uploaded`] });
    expect(await away.files(kind)).toEqual([`${server.name}/${name}`]);
  });
});

describe("a database that is made of another server's copy", () => {
  const id = "20261121T032900Z";
  const restoreFrom = async (backup: string, more: object = {}, kind: "sftp" | "s3" = "sftp") => ({
    database: "copied",
    acceptUnverified: true,
    source: { name: backup, backup, repository: `${kind}:backups/${server.name}` },
    offsite: { ...away[kind](), server: server.name, identity: (await keys()).identity, ...more },
  });

  test.each(["s3", "sftp"] as const)(
    "by %s has its contents, and neither the copy nor a key stays here",
    async (kind) => {
      await clear();
      await configure(away[kind]());
      await server.sql("postgres", "CREATE TABLE told AS SELECT 'far away' AS text");
      await writeScriptedBackup(server, id);
      await upload();
      await deleteBackup(server, id);
      // From here on this server has no place of its own for copies.
      await server.agent(["backups-schedule"], {
        ...{ server: server.name, jobs: {}, maintenance: {}, keep: {}, pins: [] },
      });
      const request = await restoreFrom(id, {}, kind);
      const { offsite } = request;
      const atHand = await server.agent(["copies-at-hand"], { server: server.name, offsite });
      expect(availableBackupsSchema.parse(JSON.parse(atHand.stdout)).map(({ id }) => id)).toEqual([
        id,
      ]);
      const planned = await server.agent(["plan"], {
        ...{ server: server.name, kind: "development", restoreId: "plan", mode: "replace" },
        ...{ roles: "leave out", ...request },
      });
      expect(refreshPlanSchema.parse(JSON.parse(planned.stdout))).toMatchObject({
        ...{ backup: null, problems: [] },
        copy: { place: `${kind}:backups/${server.name}/${id}.tar.age` },
      });
      const { result, stderr } = await server.restoreReceived(request);
      expect(result).toMatchObject({ result: "restored", source: { server: server.name } });
      expect(result.steps.map(({ name }) => name)).toContain("fetch");
      expect(await server.sql("copied", "SELECT text FROM told")).toBe("far away");
      const secret = request.offsite.identity.trim().split("\n").at(-1) ?? "";
      expect(secret).toMatch(/^AGE-SECRET-KEY-/);
      const said = `${stderr}${JSON.stringify(result)}${planned.stdout}`;
      for (const one of [secret, away.secret]) expect(said).not.toContain(one);
      const search =
        'grep -rlaE "$0|$1|PRIVATE KEY" /var/lib/stagecraft /var/backups /tmp | grep -vE "tls|signing-key"';
      expect((await server.run(["sh", "-c", search, secret, away.secret])).stdout).toBe("");
      const left = "find /var/backups/stagecraft/fetched /tmp -name '20*' -o -name 'offsite-*'";
      expect((await server.run(["sh", "-c", left])).stdout).toBe("");
      await server.sql("postgres", "DROP TABLE told");
    },
  );

  test.each([
    ["another id", "20261122T032900Z", {}, /no copy .* the nearest: 20261121T032900Z/],
    ["another server's name", id, { server: "other" }, /sftp:backups\/other has no copies/],
    ["no key", id, { identity: "no key" }, /not a private key for age/],
  ])("stays as it is with %s", async (_, backup, more, text) => {
    const request = { ...(await restoreFrom(backup, more)), restoreId: "again" };
    const source = { ...request.source, repository: "sftp:elsewhere" };
    const { result } = await server.restoreReceived({ ...request, source });
    expect(result).toMatchObject({
      result: "failed",
      text: expect.stringMatching(text) as string,
    });
    expect(await server.sql("copied", "SELECT text FROM told")).toBe("far away");
  });

  test("stays as it is where nobody has said that an unverified backup will do", async () => {
    const request = { ...(await restoreFrom(id)), acceptUnverified: false, restoreId: "again" };
    const source = { ...request.source, repository: "sftp:elsewhere" };
    const { result } = await server.restoreReceived({ ...request, source });
    expect(result).toMatchObject({
      result: "failed",
      text: expect.stringContaining("set data.acceptUnverified: true") as string,
    });
  });

  test("stays as it is when there is no room for the copy", async () => {
    const fill = "dd if=/dev/zero of=/var/backups/stagecraft/filler bs=64k 2>/dev/null; true";
    await server.run(["sh", "-c", fill]);
    const request = { ...(await restoreFrom(id)), restoreId: "again" };
    const source = { ...request.source, repository: "sftp:elsewhere" };
    const { result } = await server.restoreReceived({ ...request, source });
    await server.run(["rm", "/var/backups/stagecraft/filler"]);
    expect(result).toMatchObject({
      result: "failed",
      text: expect.stringMatching(
        /the copy has [\d.]+ MB, but the backup volume has only 0 B free; free some space there/,
      ) as string,
    });
    expect(await server.sql("copied", "SELECT text FROM told")).toBe("far away");
    expect(await listAllInRepository(server)).not.toContain("fetched");
  });

  test("harms no backup, whatever it is called", async () => {
    const before = await listAllInRepository(server);
    const request = { ...(await restoreFrom(id)), database: "..", restoreId: "odd" };
    expect((await server.restoreReceived(request)).result.result).toBe("restored");
    expect(await listAllInRepository(server)).toEqual(before);
    await server.sql("postgres", 'DROP DATABASE ".."');
  });

  test("stays as it is when the copy was altered there", async () => {
    const file = `${away.folder("sftp")}/${server.name}/${id}.tar.age`;
    await away.run(`printf X | dd of=${file} bs=1 seek=500000 conv=notrunc`);
    const request = await restoreFrom(id);
    const source = { ...request.source, repository: "sftp:elsewhere" };
    const { result } = await server.restoreReceived({ ...request, source, restoreId: "again" });
    expect(result).toMatchObject({
      result: "failed",
      text: expect.stringContaining("was altered or truncated") as string,
    });
    expect(await listAllInRepository(server)).not.toContain("fetched");
  });
});

describe("a place that takes no copy is told of, and nothing is left there", () => {
  const id = "20261122T032900Z";

  const faults: [string, () => Place, RegExp][] = [
    [
      "when nothing answers",
      () => ({ ...away.sftp(), options: { ...away.sftp().options, port: "23" } }),
      /connection refused; start the service/,
    ],
    [
      "when there is no such machine",
      () => away.s3({ endpoint: "http://nowhere.invalid" }),
      /host not found; correct the host name/,
    ],
    [
      "when another machine passes for it",
      () => ({
        ...away.sftp(),
        options: {
          ...away.sftp().options,
          known_hosts: `${away.name} ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIDa5xM3IBnzfJhxHLB5hjvHLwcyhfXO0nkPXzYDQkNBf`,
        },
      }),
      /its host key differs from options\.known_hosts/,
    ],
    [
      "when it does not let the server in",
      () => away.sftp("stranger"),
      /authentication failed; correct user/,
    ],
    [
      "when the key of S3 is wrong",
      () => away.s3({ secret_access_key: "wrong-secret-of-s3" }),
      /rejects the key/,
    ],
    ["when it is read-only", () => away.sftp("reader"), /access denied; grant read and write/],
    [
      "when its disk is read-only",
      () => away.sftp("sealed"),
      /if their disk is full or read-only; free space there/,
    ],
    ["when its bucket is read-only", () => away.readOnlyS3(), /its disk is full or read-only/],
    [
      "when it is full",
      () => away.sftp("crowded"),
      /if their disk is full or read-only; free space there, or read its log/,
    ],
    [
      "when it keeps something else than was sent",
      () => away.sftp("rotten"),
      /the copy differs from what was sent/,
    ],
  ];

  test.each(faults)("%s", async (_, place, text) => {
    await clear();
    await writeScriptedBackup(server, id, 5);
    expect(await configure(place())).toMatchObject({ status: 0 });
    const said = await upload();
    expect(said.status, JSON.stringify(said)).toBe(1);
    expect(said.stderr).toMatch(text);
    expect(said.stderr + said.stdout).not.toMatch(/wrong-secret-of-s3|PRIVATE KEY/);
    const there = await Promise.all([
      away.files("s3"),
      ...(["writer", "reader", "crowded", "rotten"] as const).map((user) =>
        away.files("sftp", user),
      ),
    ]);
    expect(there.flat()).toEqual([]);
    // Where the list can be read, it is tried and recorded; otherwise nothing was begun.
    const record = await recordOf(id).catch(() => undefined);
    expect(record?.result ?? "failed").toBe("failed");
  });

  test.each([
    ["sftp", "is silent", { idle: "1 s" }, /no response; correct the address/],
    ["s3", "takes too long", { limit: "1 s" }, /timed out after 1 s; .*limit/],
  ] as const)("when %s takes the connection and %s", async (kind, _, limits, text) => {
    await clear();
    await writeScriptedBackup(server, id, 5);
    expect(await configure(away[kind](), limits)).toMatchObject({ status: 0 });
    await away.pause();
    try {
      expect(await upload()).toMatchObject({
        status: 1,
        stderr: expect.stringMatching(text) as string,
      });
      expect((await listRaw()).stderr).toMatch(text);
    } finally {
      await away.unpause();
    }
    expect(await recordOf(id)).toMatchObject({ result: "failed" });
  });

  test("and the next job makes up for it", async () => {
    await configure(away.sftp());
    expect(await upload()).toMatchObject({ status: 0, results: [`${id} uploaded`] });
  });
});

test("a place is tried when it is configured, and that it does not answer is observed, but stops nothing", async () => {
  await clear();
  const configured = await configure(away.sftp("stranger"));
  expect(configured).toMatchObject({
    status: 0,
    stderr: expect.stringMatching(
      /no off-site copy can be made now: .*authentication failed/,
    ) as string,
  });
  const { stdout } = await server.agent(["observe"]);
  expect(observationSchema.parse(JSON.parse(stdout)).backups.offsite).toEqual({
    ...{ remote: `sftp:backups/${server.name}`, newest: null },
    problem: expect.stringMatching(/authentication failed/) as string,
  });
});

test("a place that allows no deletion holds good copies, with each job, and gives them back", async () => {
  const ids = ["20261120T032900Z", "20261121T032900Z", "20261122T032900Z"];
  await clear();
  await configure(away.sftp("keeper"), { keep: { last: 1 }, bandwidth: "100 MB/s" });
  for (const id of ids) {
    await writeScriptedBackup(server, id, 1);
    await markVerified(server, id);
    expect(await upload()).toMatchObject({
      status: 0,
      results: [`${id} uploaded`],
      stderr: expect.not.stringContaining("failed") as string,
    });
    expect(await recordOf(id)).toMatchObject({ result: "uploaded" });
  }
  expect(await list()).toEqual(ids);
  const before = await backupDigests(server, ids[2] ?? "");
  await deleteBackup(server, ids[2] ?? "");
  expect(await fetch(ids[2] ?? "")).toMatchObject({ status: 0 });
  expect(await backupDigests(server, ids[2] ?? "")).toEqual(before);
});

describe("an upload that is cut", () => {
  const id = "20261123T032900Z";

  test.each(["sftp", "s3"] as const)(
    "by %s leaves no final name, and the next one clears up",
    async (kind) => {
      await clear();
      await configure(away[kind]());
      await writeScriptedBackup(server, id, 100);
      const cut = server.agent(["offsite-upload"], { server: server.name });
      await untilRunning("[r]cat");
      if (kind === "sftp") await away.untilPartial(kind);
      await away.pause();
      try {
        const { stdout } = await server.run(["sh", "-c", everyArgument]);
        expect(stdout).toContain("rcat");
        expect(stdout).not.toContain(away.secret);
        expect(stdout).not.toContain("PRIVATE KEY");
        // As when the machine goes down: nobody clears up.
        await server.run(["sh", "-c", killAll("[o]ffsite-upload|[r]cat|^age|^tar")]);
      } finally {
        await away.unpause();
      }
      expect((await cut).status).not.toBe(0);
      expect((await away.files(kind)).filter((name) => name.endsWith(".age"))).toEqual([]);
      expect(await upload()).toMatchObject({ status: 0, results: [`${id} uploaded`] });
      expect(await away.files(kind)).toEqual([`${server.name}/${id}.tar.age`]);
    },
  );
});

describe("a copy does not come back", () => {
  const id = "20261124T032900Z";
  const place = () => `${away.folder("sftp")}/${server.name}/${id}.tar.age`;

  /** A copy without its backup. */
  async function copyAlone(): Promise<void> {
    await clear();
    await configure(away.sftp());
    await writeScriptedBackup(server, id);
    expect(await upload()).toMatchObject({ status: 0 });
    await deleteBackup(server, id);
  }

  test.each([
    ["with another key", async () => (await newKeys()).identity, /the key does not decrypt/],
    ["with what is no key", () => "no key at all", /not a private key for age/],
  ])("%s", async (_, identity, text) => {
    await copyAlone();
    expect(await fetch(id, await identity())).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(text) as string,
    });
    expect(await listAllInRepository(server)).toEqual(["records"]);
  });

  test.each([
    [
      "altered",
      () => `printf X | dd of=${place()} bs=1 seek=500000 conv=notrunc`,
      /was altered or truncated/,
    ],
    ["cut", () => `truncate -s 300000 ${place()}`, /was altered or truncated/],
    ["empty", () => `truncate -s 0 ${place()}`, /was altered or truncated/],
    ["gone", () => `rm ${place()}`, /no copy .*; existing copies: none/],
  ])("when it is %s", async (_, damage, text) => {
    await copyAlone();
    await away.run(damage());
    expect(await fetch(id)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(text) as string,
    });
    expect(await listAllInRepository(server)).toEqual(["records"]);
  });

  test("under the name of another backup", async () => {
    await copyAlone();
    const other = "20261125T032900Z";
    await away.run(`mv ${place()} ${place().replace(id, other)}`);
    expect(await fetch(other)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(`it is of backup ${id}`) as string,
    });
    expect(await listAllInRepository(server)).toEqual(["records"]);
  });

  test("over a backup that is here", async () => {
    await copyAlone();
    expect(await fetch(id)).toMatchObject({ status: 0 });
    expect(await fetch(id)).toMatchObject({
      status: 1,
      stderr: `backup ${id} is already on this server\n`,
    });
  });
});

describe("copies are kept by rules of their own", () => {
  const [first, second, third] = [
    "20261101T032900Z",
    "20261102T032900Z",
    "20261103T032900Z",
  ] as const;

  test("those that no rule keeps are removed there, also when the backup is gone here", async () => {
    await clear();
    await configure(away.sftp(), { keep: { last: 2 } });
    await writeScriptedBackup(server, first);
    await markVerified(server, first);
    await writeScriptedBackup(server, second);
    await markVerified(server, second);
    expect((await upload()).results).toEqual([`${first} uploaded`, `${second} uploaded`]);
    await deleteBackup(server, first);
    await writeScriptedBackup(server, third);
    await markVerified(server, third);
    expect((await upload()).results).toEqual([`${third} uploaded`, `${first} removed`]);
    expect(await list()).toEqual([second, third]);
  });

  test("one that this server does not know stays", async () => {
    const folder = `${away.folder("sftp")}/${server.name}`;
    await away.run(`cp -p ${folder}/${second}.tar.age ${folder}/20250101T000000Z.tar.age`);
    expect((await upload()).results).toEqual([]);
    expect(await list()).toEqual(["20250101T000000Z", second, third]);
  });

  const pins: object[] = [];

  /** The catalogue, a line each: the id, whether it is here, what keeps it. */
  async function catalogue(): Promise<string[]> {
    const { stdout } = await server.agent(["backups"], { server: server.name, pins });
    const { entries, judgements } = catalogueSchema.parse(JSON.parse(stdout));
    return entries.map(({ id, backup, away, verification, offsite }) => {
      expect(verification?.restored).toBe(true);
      expect((backup ?? away)?.databases).toEqual([{ name: "app", bytes: 1, rows: 0 }]);
      const where = [backup ? "here" : "", offsite?.result === "uploaded" ? "off-site" : ""];
      const rules = judgements.find((judgement) => judgement.id === id)?.rules;
      return [id, ...where, rules?.join()].join(" ").replaceAll("  ", " ");
    });
  }

  async function remove(id: string): Promise<CommandResult> {
    return server.agent(["backups-delete"], { server: server.name, pins, backups: [id] });
  }

  async function verificationOf(id: string): Promise<string> {
    const file = `/var/backups/stagecraft/records/${id}/verification.json`;
    return (await server.run(["cat", file])).stdout;
  }

  test("one that comes back is verified still, if it is what was sent, byte for byte", async () => {
    expect(await remove(second)).toMatchObject({ status: 0 });
    expect(await fetch(second)).toMatchObject({ status: 0 });
    expect(JSON.parse(await verificationOf(second))).toMatchObject({
      ...{ result: "passed", restored: true, from: "off-site" },
    });

    // The same backup, sent another time, is other bytes: only who names its digest gets it, and verifies it again.
    const file = `${away.folder("sftp")}/${server.name}/${second}.tar.age`;
    await away.run(`cp -p ${file} ${file}.old && truncate -s -1 ${file}`);
    expect((await upload()).results).toEqual([`${second} uploaded`]);
    await away.run(`mv ${file}.old ${file}`);
    expect(await remove(second)).toMatchObject({ status: 0 });
    const replaced = await fetch(second);
    expect(replaced).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("was replaced: it has the SHA-256") as string,
    });
    const accept = /--accept (sha256:[0-9a-f]{64})/.exec(replaced.stderr)?.[1];
    const { identity } = await keys();
    const request = { server: server.name, of: server.name, id: second, identity, accept };
    expect(await server.agent(["offsite-fetch"], request)).toMatchObject({ status: 0 });
    expect(await verificationOf(second)).toBe("");
    await markVerified(server, second);
  });

  test("one whose backup is deleted here stays in the catalogue, and does not stand in for one that is here", async () => {
    expect(await remove(second)).toMatchObject({ status: 0 });
    expect(await catalogue()).toEqual([
      `${second} off-site last`,
      expect.stringMatching(`^${third} here off-site `),
    ]);
    expect((await remove(third)).stderr).toMatch(/is the last verified backup/);
    expect((await remove(second)).stderr).toMatch(/the repository has no backup/);
    const verify = await server.agent(["verify"], { server: server.name, backup: second });
    expect(verify).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(
        `is off-site only; fetch it first: npx stagecraft backups offsite <stack> ${second} --identity <file>`,
      ) as string,
    });
  });

  test("it is told of also when the repository was lost, and until its copy is removed", async () => {
    await server.run(["sh", "-c", "rm -rf /var/backups/stagecraft/*"]);
    expect(await catalogue()).toEqual([`${second} off-site last`, `${third} off-site last`]);
    const fourth = "20261104T032900Z";
    await writeScriptedBackup(server, fourth);
    await markVerified(server, fourth);
    expect((await upload()).results).toEqual([`${fourth} uploaded`, `${second} removed`]);
    expect(await catalogue()).toEqual([
      `${third} off-site last`,
      expect.stringMatching(`^${fourth} here off-site `),
    ]);
  });
});

describe("the way to a place", () => {
  test("is kept for the agent alone, and goes when the stack names it no longer", async () => {
    await configure(away.s3());
    const folder = "/var/lib/stagecraft/offsite";
    const modes = await server.run(["sh", "-c", `stat -c '%a %n' ${folder} ${folder}/*`]);
    expect(modes.stdout).toBe(
      `700 ${folder}\n600 ${folder}/known_hosts\n600 ${folder}/rclone.conf\n`,
    );
    await server.agent(["backups-schedule"], {
      server: server.name,
      jobs: {},
      maintenance: {},
      keep: {},
      pins: [],
    });
    expect((await server.run(["ls", folder])).status).not.toBe(0);
    expect(await listRaw()).toMatchObject({
      status: 1,
      stderr: expect.stringContaining("set backups.offsite") as string,
    });
  });

  test("is refused when rclone does not know it, and the one before stays", async () => {
    await configure(away.s3());
    const wrong = { remote: "s3:backups", options: { secret_acess_key: "hush" } };
    const said = await configure(wrong as unknown as Place);
    expect(said).toMatchObject({
      status: 1,
      stderr:
        "backups.offsite.options.secret_acess_key: rclone's backend s3 has no such option; did you mean secret_access_key?\n",
    });
    expect(await listRaw()).toMatchObject({ status: 0 });
  });

  test("is refused when a public key cannot be one", async () => {
    const { recipient } = await keys();
    const wrong = `${recipient.slice(0, -1)}${recipient.endsWith("q") ? "p" : "q"}`;
    expect(await configure(away.s3(), { recipients: [wrong] })).toMatchObject({
      status: 1,
      stderr: expect.stringContaining(
        "backups.offsite.recipients: age cannot encrypt for them",
      ) as string,
    });
  });
});

describe("a backup that is made", () => {
  const jobs = { nightly: { schedule: "0 0 1 1 *", missed: "wait" } };

  async function backUp(
    place: Place,
  ): Promise<{ succeeded: boolean; text: string; backup: string }> {
    await clear();
    expect(await configure(place, {}, jobs)).toMatchObject({ status: 0 });
    const { stdout } = await server.agent(["backup"], { server: server.name, job: "nightly" });
    return JSON.parse(stdout) as Awaited<ReturnType<typeof backUp>>;
  }

  test("is copied off-site", async () => {
    const { succeeded, text, backup } = await backUp(away.sftp());
    expect({ succeeded, text }).toEqual({
      succeeded: true,
      text: expect.stringMatching(/ · copied off-site$/) as string,
    });
    expect(await list()).toEqual([backup]);
  });

  test("is a failed job when it cannot be copied, stays here, and is copied by the next one", async () => {
    const { succeeded, text, backup } = await backUp(
      away.s3({ secret_access_key: "wrong-secret" }),
    );
    expect({ succeeded, text }).toEqual({
      succeeded: false,
      text: expect.stringMatching(
        /^the backup was made, but not copied off-site: .*rejects the key/,
      ) as string,
    });
    expect(await recordOf(backup)).toMatchObject({ result: "failed" });
    expect(await listAllInRepository(server)).toContain(backup);
    await configure(away.s3());
    expect((await upload()).results).toEqual([`${backup} uploaded`]);
  });
});
