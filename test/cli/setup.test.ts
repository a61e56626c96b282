import { execa } from "execa";
import {
  existsSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { ensureProjectFiles } from "../../cli/pulumi/setup";
import { pulumiEnvironment } from "../../tools";

const folder = mkdtempSync(join(tmpdir(), "stagecraft-setup-"));
const stackFile = join(folder, "Pulumi.dev.yaml");

beforeAll(() => {
  mkdirSync(join(folder, "stacks"));
  const runtime =
    "name: stagecraft\nruntime: nodejs\nbackend:\n  url: file://./.stagecraft/state\n";
  writeFileSync(join(folder, "Pulumi.yaml"), runtime);
  writeFileSync(
    stackFile,
    "config:\n  stagecraft:database:\n    name: timesheets\n  stagecraft:people:\n    ada: DbAdmin\n    carl: CI\n",
  );
});

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface StackFile {
  readonly config: Readonly<Record<string, Readonly<Record<string, { readonly secure: string }>>>>;
}

const passwords = (): StackFile["config"][string] =>
  (parse(readFileSync(stackFile, "utf8")) as StackFile).config["stagecraft:passwords"] ?? {};

const password = async (role: string): Promise<string> => {
  const args = ["config", "get", "--path", `stagecraft:passwords.${role}`, "--stack", "dev"];
  const env = pulumiEnvironment(folder);
  return (await execa("pulumi", args, { cwd: folder, env })).stdout;
};

test("the set-up makes a password for each role that logs in, and keeps those that are there", async () => {
  expect(await ensureProjectFiles(folder, "dev")).toEqual([
    ...["passphrase", "stack", "password of application", "password of readonly"],
    ...["password of monitor", "password of ada"],
  ]);
  const made = passwords();
  expect(Object.keys(made).sort()).toEqual(["ada", "application", "monitor", "readonly"]);
  for (const { secure } of Object.values(made)) expect(secure).toMatch(/^v1:/);
  const plain = await Promise.all(Object.keys(made).map(password));
  expect(new Set(plain).size).toBe(4);
  for (const text of plain) expect(text).toMatch(/^[\w-]{32}$/);
  expect(await ensureProjectFiles(folder, "dev")).toEqual([]);
  expect(passwords()).toEqual(made);
});

test("a person who is new gets one, and the others keep theirs", async () => {
  const before = passwords();
  const text = readFileSync(stackFile, "utf8");
  writeFileSync(stackFile, text.replace("ada: DbAdmin", "ada: DbAdmin\n    bob: Tester"));
  expect(await ensureProjectFiles(folder, "dev")).toEqual(["password of bob"]);
  expect(passwords()).toMatchObject(before);
});

test("the passphrase is its user's alone, and neither it nor a password stands in another file of the project", async () => {
  const file = join(folder, ".stagecraft", "passphrase");
  expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
  const secrets = [
    readFileSync(file, "utf8").trim(),
    ...(await Promise.all(Object.keys(passwords()).map(password))),
  ];
  expect(secrets.length).toBeGreaterThan(4);
  // -f -: one pattern a line of stdin.
  const options = { cwd: folder, input: secrets.join("\n"), reject: false };
  const { stdout } = await execa("grep", ["-rlF", "-f", "-", "."], options);
  expect(stdout).toBe("./.stagecraft/passphrase");
});

test("a lost passphrase is not replaced while Pulumi's state needs it, and the way out ends in a new one", async () => {
  const lost = join(folder, ".stagecraft", "passphrase");
  rmSync(lost);
  const missing = /^the passphrase that decrypts the secrets of stack dev is missing \(/;
  await expect(ensureProjectFiles(folder, "dev")).rejects.toThrow(missing);
  // What the message of an earlier version advised: the state is still encrypted with the lost one.
  const document = parse(readFileSync(stackFile, "utf8")) as { config: Record<string, unknown> };
  delete document.config["stagecraft:passwords"];
  writeFileSync(stackFile, stringify({ config: document.config }));
  await expect(ensureProjectFiles(folder, "dev")).rejects.toThrow(missing);
  expect(existsSync(lost)).toBe(false);
  // docs/troubleshooting.md, Lost passphrase
  const env = pulumiEnvironment(folder);
  const remove = ["stack", "rm", "dev", "--force", "--yes", "--preserve-config"];
  await execa("pulumi", remove, { cwd: folder, env });
  expect(await ensureProjectFiles(folder, "dev")).toEqual(
    expect.arrayContaining(["passphrase", "stack", "password of application"]),
  );
});
