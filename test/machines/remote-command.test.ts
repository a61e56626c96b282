import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { checkInputs, diff } from "../../tools/toolchain/command-plugin/command-resource";
import { remoteCommand } from "../../tools/toolchain/command-plugin/remote-command";
import { unwrap, secret, unknown, type Values } from "../../tools/toolchain/command-plugin/values";
import { useOwnMachine } from "../support/engines/own-machine";
import { TestStack, type Update } from "../support/stacks/test-stack";
import { until } from "../support/time/until";

describe("a remote command's inputs", () => {
  test("get the defaults of the official plugin, and the connection is a secret", () => {
    const { inputs, problems } = checkInputs(remoteCommand, {
      connection: { host: "h", port: 2222 },
    });
    expect(problems).toEqual([]);
    const defaults = { dialErrorLimit: 10, perDialTimeout: 15, user: "root" };
    expect(inputs).toEqual({
      addPreviousOutputInEnv: true,
      connection: secret({ ...defaults, host: "h", port: 2222 }),
    });
  });

  const connectionReason = expect.stringMatching(/^must have a host/) as string;
  test.each([
    [{}, "connection", "must be given"],
    [{ connection: { port: 22 } }, "connection", connectionReason],
    [{ connection: { host: "h", port: "22" } }, "connection", connectionReason],
    [{ connection: { host: "h", proxy: { host: "p" } } }, "connection", connectionReason],
    [{ connection: { host: "h" }, dir: "/" }, "dir", "is not an input of command:remote:Command"],
  ])("%j is refused", (inputs, property, reason) => {
    expect(checkInputs(remoteCommand, inputs).problems).toEqual([{ property, reason }]);
  });

  test("are not judged while they are unknown", () => {
    expect(checkInputs(remoteCommand, { connection: unknown }).problems).toEqual([]);
    expect(checkInputs(remoteCommand, { connection: { host: unknown } }).problems).toEqual([]);
  });

  test("update the command when the connection changes", () => {
    const news = { connection: secret({ host: "b" }) };
    expect(diff(remoteCommand, { connection: { host: "a" } }, news)).toEqual([
      { property: "connection", kind: "update", replaces: false },
    ]);
    expect(diff(remoteCommand, { connection: unwrap(news.connection) }, news)).toEqual([]);
  });
});

describe("on another machine", () => {
  const machine = useOwnMachine();
  const folder = mkdtempSync(join(tmpdir(), "stagecraft-agent-"));
  let stack: TestStack;
  let connection: Values;
  let first: Update;
  let second: Update;
  let outputs: Record<string, string>;
  let changed: Record<string, string>;

  const to = (more: Values): Values => ({
    ...{ host: "127.0.0.1", port: machine.sshPort, user: "guest", dialErrorLimit: 0 },
    ...more,
  });

  const program = (version: 1 | 2): string => `
const { Command } = command.remote;
const connection = ${JSON.stringify(connection)};
const filter = new Command("filter", {
  connection,
  create: 'tr a-z A-Z; echo whispered >&2; printf " for %s" "$LC_WHO"',
  stdin: pulumi.secret("passwort-of-ada"),
  environment: { LC_WHO: "ada" },
  logging: "none",
});
const loud = new Command("loud", { connection, create: "echo said; echo warned >&2", logging: "stderr" });
const inPlace = new Command("in-place", {
  connection,
  create: "echo made",
  update: 'echo "made anew, was: $PULUMI_COMMAND_STDOUT"',
  environment: { LC_DIGEST: "${version}" },
});
const onlyCreate = new Command("only-create", {
  connection,
  create: 'echo "digest $LC_DIGEST, before: \${PULUMI_COMMAND_STDOUT-nothing}"',
  addPreviousOutputInEnv: false,
  environment: { LC_DIGEST: "${version}" },
});
const replaced = new Command("replaced", {
  connection,
  create: "echo created ${version} >> replaced.log",
  delete: "echo deleted ${version} >> replaced.log",
  triggers: ["${version}"],
});
const byPassword = new Command("by-password", {
  connection: ${JSON.stringify(to({ password: machine.password }))},
  create: "id -un",
});
module.exports = {
  filter: filter.stdout,
  whispered: filter.stderr,
  loud: loud.stdout,
  inPlace: inPlace.stdout,
  onlyCreate: onlyCreate.stdout,
  byPassword: byPassword.stdout,
};
`;

  beforeAll(async () => {
    const hostKey = await machine.hostKey();
    connection = to({ privateKey: machine.privateKey, hostKey });
    stack = await TestStack.create(program(1));
    first = await stack.up();
    outputs = await stack.outputs();
    await stack.write(program(2));
    second = await stack.up();
    changed = await stack.outputs();
  });
  afterAll(async () => {
    await stack.remove();
    rmSync(folder, { recursive: true, force: true });
  });

  test("commands run there, with their input, their variables and both of their streams", () => {
    expect(first.errors).toBe("");
    expect(outputs).toMatchObject({
      filter: "PASSWORT-OF-ADA for ada",
      whispered: "whispered",
      loud: "said",
      inPlace: "made",
      onlyCreate: "digest 1, before: nothing",
      byPassword: "guest",
    });
  });

  test("their lines are shown as they come, of the streams that are logged", () => {
    expect(first.lines).toContain("warned");
    expect(first.lines.join()).not.toMatch(/said|PASSWORT|whispered/);
  });

  test("neither input nor key nor password is in the state, nor what was made of them", async () => {
    const all = await stack.state();
    expect(all).toContain("in-place");
    const key = machine.privateKey.split("\n")[1] ?? "no key";
    for (const text of ["passwort-of-ada", "PASSWORT-OF-ADA", machine.password, key])
      expect(all).not.toContain(text);
  });

  test("an input that changes runs update in place, or else create", () => {
    expect(second.operations["in-place"]).toEqual(["update"]);
    expect(second.operations["only-create"]).toEqual(["update"]);
    expect(changed).toMatchObject({
      inPlace: "made anew, was: made",
      onlyCreate: "digest 2, before: nothing",
    });
  });

  test("a trigger that changes replaces the command, the new one before the old", async () => {
    expect(second.operations["replaced"]).toEqual([
      "create-replacement",
      "replace",
      "delete-replaced",
    ]);
    const { stdout } = await machine.as("guest", "cat ~/replaced.log");
    expect(stdout).toBe("created 1\ncreated 2\ndeleted 1");
  });

  test("nothing runs when nothing changes", async () => {
    expect(Object.keys(second.operations).sort()).toEqual(["in-place", "only-create", "replaced"]);
    const third = await stack.up("--expect-no-changes");
    expect([third.exitCode, third.operations]).toEqual([0, {}]);
  });

  test("a command that fails is told of with its status and all that it printed", async () => {
    const text = "echo so far; echo no space left >&2; exit 3";
    expect(await failure(connection, text)).toBe(
      `Process exited with status 3: running "${text}":\nso far\nno space left`,
    );
  });

  test("a variable that the machine does not let in is refused before the command runs", async () => {
    const text = await failure(connection, "touch ran", { environment: { DIGEST: "1" } });
    expect(text).toContain('could not set environment variable "DIGEST"');
    expect((await machine.as("guest", "ls ~")).stdout).toBe("replaced.log");
  });

  test("a key with a passphrase opens with it, and without it the error says what is wrong", async () => {
    const path = join(folder, "locked");
    await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "open it", "-f", path]);
    const publicKey = readFileSync(`${path}.pub`, "utf8");
    await machine.as("guest", "cat >> ~/.ssh/authorized_keys", publicKey);
    const privateKey = readFileSync(path, "utf8");
    expect(await failure(to({ privateKey, privateKeyPassword: "open it" }), "true")).toBe("");
    expect(await failure(to({ privateKey }), "true")).toContain("failed to parse private key");
  });

  test("a key of ssh-agent lets in", async () => {
    const agentSocketPath = join(folder, "agent");
    const agent = execa("ssh-agent", ["-D", "-a", agentSocketPath], { reject: false });
    try {
      const env = { SSH_AUTH_SOCK: agentSocketPath };
      const options = { env, input: machine.privateKey, reject: false } as const;
      const add = async () => !(await execa("ssh-add", ["-q", "-"], options)).failed;
      await until("ssh-agent takes the key", add);
      expect(await failure(to({ agentSocketPath }), "true")).toBe("");
    } finally {
      agent.kill();
      await agent;
    }
  });

  test.each<[string, () => Promise<Values> | Values, string]>([
    [
      "another machine than the pinned one",
      async () =>
        to({
          privateKey: machine.privateKey,
          hostKey: (await machine.hostKey("ecdsa")).replace(/.{20}=$/, "AAAAAAAAAAAAAAAAAAAA="),
        }),
      "after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch",
    ],
    [
      "a key of another type than the one that the machine shows first",
      async () => to({ privateKey: machine.privateKey, hostKey: await machine.hostKey("ed25519") }),
      "after 0 failed attempts: ssh: handshake failed: ssh: host key mismatch",
    ],
    ["a text that is no key", () => to({ hostKey: "db.example.com" }), "failed to parse host key"],
    [
      "a password that is not the user's",
      () => to({ password: "not this one" }),
      "ssh: handshake failed: ssh: unable to authenticate",
    ],
    [
      "a port where nobody listens, after as many tries as are allowed",
      () => to({ port: 1, dialErrorLimit: 2 }),
      "after 2 failed attempts: dial tcp 127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1",
    ],
    [
      "an address that does not answer, after the time that is allowed",
      () => to({ host: "192.0.2.1", perDialTimeout: 1 }),
      "after 0 failed attempts: dial tcp 192.0.2.1:",
    ],
  ])("%s is refused", async (_, connectionOf, text) => {
    expect(await failure(await connectionOf(), "true")).toContain(text);
  });

  /** What a command fails with; nothing when it does not. */
  async function failure(connection: Values, text: string, more: Values = {}): Promise<string> {
    const { inputs, problems } = checkInputs(remoteCommand, { connection, ...more });
    expect(problems).toEqual([]);
    const run = remoteCommand.run(text, unwrap(inputs) as Values, {}, () => undefined);
    return run.then(
      () => "",
      (error: unknown) => (error as Error).message,
    );
  }
});
