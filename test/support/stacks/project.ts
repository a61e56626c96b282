import { execa, type ResultPromise } from "execa";
import { randomBytes, randomInt } from "node:crypto";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { parse, stringify } from "yaml";
import { portProblem } from "../../../components/engine/port";
import { engineNames, type EngineNames } from "../../../model/base/engine-names";
import { pulumiEnvironment } from "../../../tools";
import { processOfTest } from "../programs/process";
import { until } from "../time/until";
import { checkout } from "../files/checkout";

const sourceFolders = [
  "agent",
  "components",
  "contract",
  "engine",
  "images",
  "model",
  "program",
  "stacks",
  "tools",
];

const copied = [
  ...sourceFolders,
  "package.json",
  "package-lock.json",
  "tsconfig.json",
  "Pulumi.yaml",
  "examples/own-server",
  "examples/timesheets/app",
];

/** The dump of the example, as the stacks name it. */
export const exampleDump = "examples/timesheets/pg_dump.production.timesheets.20261115.032900.sql";

/** The application of the example. */
export const exampleApplication = "examples/timesheets/app";

/** What a program said, without colours. */
export interface ProgramResult {
  readonly exitCode: number;
  /** stdout and stderr together. */
  readonly text: string;
}

/** A program that was started, with stdout and stderr together. */
export type Run = ResultPromise<{ all: true; reject: false }>;

/** The sections of a stack's settings that a test wants otherwise. */
export type SettingChanges = Readonly<Record<string, unknown>>;

interface StackFile {
  readonly encryptionsalt: string;
  readonly config: Readonly<Record<string, unknown>>;
}

/** Makes a copy of the project for the tests of one file, and removes all it made after them. */
export function useProject(): TestProject {
  const project = new TestProject();
  beforeAll(async () => project.prepare());
  afterAll(async () => project.remove());
  return project;
}

/** A copy of the project with a state, names and ports of its own: whatever a test does, no other server is touched. */
export class TestProject {
  readonly prefix = `sct-${randomBytes(4).toString("hex")}`;
  readonly folder = mkdtempSync(join(tmpdir(), `${this.prefix}-`));
  readonly passwords = {
    application: "the password of tests",
    readonly: "the reader's password of tests",
    monitor: "the monitor's password of tests",
  };
  readonly #ports = new Map<string, number>();
  readonly #printed: string[] = [];
  /** The stack files as they were made, because encrypting takes Pulumi half a second. */
  readonly #made = new Map<string, StackFile>();
  /** What Pulumi is run with. */
  readonly environment: NodeJS.ProcessEnv = {
    PULUMI_BACKEND_URL: `file://${this.folder}/.stagecraft/state`,
    PULUMI_CONFIG_PASSPHRASE: "the passphrase of tests",
  };

  async prepare(): Promise<void> {
    this.useSources(checkout);
    cpSync(join(checkout, exampleDump), join(this.folder, exampleDump));
    symlinkSync(join(checkout, "node_modules"), join(this.folder, "node_modules"));
    mkdirSync(join(this.folder, ".stagecraft", "state"), { recursive: true });
    for (const stack of ["dev", "staging", "prod"]) this.#ports.set(stack, await freePort());
  }

  /** Replaces the sources of the project by those of another checkout; stack files, state and dumps stay. */
  useSources(from: string): void {
    for (const name of sourceFolders)
      rmSync(join(this.folder, name), { recursive: true, force: true });
    for (const name of copied.filter((name) => existsSync(join(from, name))))
      cpSync(join(from, name), join(this.folder, name), { recursive: true });
  }

  /** Makes a stack with passwords, and settings that differ in some sections. */
  async makeStack(stack: string, changes: SettingChanges = {}): Promise<void> {
    this.configure(stack, changes);
    const made = await this.pulumi("stack", "init", stack, "--no-select");
    if (made.exitCode !== 0) throw new Error(made.text);
    await this.setPasswords(stack);
    this.#made.set(stack, parse(readFileSync(this.#file(stack), "utf8")) as StackFile);
  }

  /** Writes a stack's settings, with its port and this project's names, and the passwords it has. */
  reconfigure(stack: string, changes: SettingChanges): void {
    const { encryptionsalt, config } = this.#made.get(stack) ?? {};
    const passwords = config?.["stagecraft:passwords"];
    this.configure(stack, { passwords, ...changes }, { encryptionsalt });
  }

  #file(stack: string): string {
    return join(this.folder, `Pulumi.${stack}.yaml`);
  }

  private configure(stack: string, changes: SettingChanges, more: object = {}): void {
    const sections = {
      namePrefix: this.prefix,
      postgres: { port: this.port(stack), memory: "256 MB" },
      database: { name: "timesheets" },
      data: { dump: exampleDump },
      ...changes,
    };
    const config = Object.entries(sections).map(([key, value]) => [`stagecraft:${key}`, value]);
    const file = { ...more, config: Object.fromEntries(config) as unknown };
    writeFileSync(this.#file(stack), stringify(file));
  }

  private async setPasswords(stack: string): Promise<void> {
    const passwords = Object.entries(this.passwords);
    await this.setSecrets(
      stack,
      Object.fromEntries(passwords.map(([role, password]) => [`passwords.${role}`, password])),
    );
  }

  /** Puts secrets into a stack's settings, by their key paths. */
  async setSecrets(stack: string, secrets: Readonly<Record<string, string>>): Promise<void> {
    const values = Object.entries(secrets).flatMap(([key, value]) => [
      "--secret",
      `${key}=${value}`,
    ]);
    const set = await this.pulumi("config", "set-all", "--path", ...values, "--stack", stack);
    if (set.exitCode !== 0) throw new Error(set.text);
  }

  /** A port of 127.0.0.1 for the example's application, beside the server's. */
  async applicationPort(): Promise<number> {
    return freePort();
  }

  port(stack: string): number {
    return this.#ports.get(stack) ?? 0;
  }

  names(stack: string): EngineNames {
    return engineNames(this.prefix, stack);
  }

  /** What a server without an application is made of on the engine. */
  parts(stack: string) {
    const { network, postgres, agent, scratch, ...names } = this.names(stack);
    const { dataVolume, runVolume, agentVolume, backupsVolume, archiveVolume } = names;
    const { scratchVolume } = names;
    const volumes = [
      dataVolume,
      runVolume,
      agentVolume,
      backupsVolume,
      archiveVolume,
      scratchVolume,
    ];
    return { network, containers: [postgres, agent, scratch], volumes };
  }

  /** Puts a dump into the project folder; its path there. */
  writeDump(name: string, text: string): string {
    writeFileSync(join(this.folder, name), text);
    return name;
  }

  /** Runs Pulumi in the project folder to its end. */
  async pulumi(...args: readonly string[]): Promise<ProgramResult> {
    return this.#note(await resultOf(this.start({}, ...args)));
  }

  /** All that Pulumi and the operator's command have printed so far, errors too. */
  get printed(): string {
    return this.#printed.join("\n");
  }

  #note(said: ProgramResult): ProgramResult {
    this.#printed.push(said.text);
    return said;
  }

  /** Starts Pulumi with some variables otherwise. */
  start(environment: NodeJS.ProcessEnv, ...args: readonly string[]): Run {
    const options = ["--non-interactive", "--color", "never"];
    return this.#start("pulumi", [...args, ...options], environment);
  }

  /** Runs the operator's command in the project folder to its end. */
  async stagecraft(...args: readonly string[]): Promise<ProgramResult> {
    const command = [join(checkout, "bin", "stagecraft.js"), ...args];
    return this.#note(await resultOf(this.#start(process.execPath, command)));
  }

  #start(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Run {
    const run = execa(program, args, {
      cwd: this.folder,
      env: { ...pulumiEnvironment(this.folder), ...this.environment, ...environment },
      reject: false,
      all: true,
      stdin: "ignore",
    }) as unknown as Run;
    return processOfTest(run, () => {
      rmSync(join(this.folder, ".stagecraft/state/.pulumi/locks"), {
        recursive: true,
        force: true,
      });
    });
  }

  async up(stack: string, ...options: readonly string[]): Promise<ProgramResult> {
    return this.pulumi("up", "--stack", stack, "--yes", "--skip-preview", ...options);
  }

  async preview(stack: string, ...options: readonly string[]): Promise<ProgramResult> {
    return this.pulumi("preview", "--stack", stack, ...options);
  }

  async output(stack: string, name: string): Promise<string> {
    return (await this.pulumi("stack", "output", name, "--stack", stack)).text.trim();
  }

  /** What PostgreSQL's superuser reads, one line a row, fields between `|`. */
  async psql(stack: string, sql: string, database = "timesheets"): Promise<string> {
    const command = ["psql", "-h", "/run/postgresql", "-XAtq", "-v", "ON_ERROR_STOP=1"];
    const { postgres } = this.names(stack);
    const { exitCode, text } = await runDocker(
      "exec",
      postgres,
      ...command,
      "-c",
      sql,
      "-d",
      database,
    );
    if (exitCode !== 0) throw new Error(text);
    return text.trim();
  }

  /** What is left of this project on the engine. */
  async leftovers(kind: "ps" | "volume" | "network"): Promise<string[]> {
    const filters = [`label=stagecraft.project=${this.prefix}`];
    // The engine makes a volume without labels for a container whose volume somebody has removed.
    if (kind === "volume") filters.push(`name=^${this.prefix}-`);
    const listing = kind === "ps" ? ["ps", "--all"] : [kind, "ls"];
    const format = kind === "ps" ? "{{.Names}}" : "{{.Name}}";
    const found = await Promise.all(
      filters.map(async (filter) => runDocker(...listing, "--filter", filter, "--format", format)),
    );
    return [...new Set(found.flatMap(({ text }) => text.split("\n").filter(Boolean)))].sort();
  }

  async remove(): Promise<void> {
    const containers = await this.leftovers("ps");
    if (containers.length > 0) await runDocker("rm", "--force", ...containers);
    const volumes = await this.leftovers("volume");
    if (volumes.length > 0) await runDocker("volume", "rm", "--force", ...volumes);
    const networks = await this.leftovers("network");
    if (networks.length > 0) await runDocker("network", "rm", ...networks);
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs docker to its end. */
export async function runDocker(...args: readonly string[]): Promise<ProgramResult> {
  const { exitCode, all } = await processOfTest(
    execa("docker", args, { reject: false, all: true }),
  );
  return { exitCode: exitCode ?? 1, text: all };
}

/** What a started program said at its end. */
export async function resultOf(run: Run): Promise<ProgramResult> {
  const { exitCode, all } = await run;
  return { exitCode: exitCode ?? 1, text: all };
}

/** A small plain dump of one table, in the form that `pg_dump -c -O -F p` gives it. */
export function smallDump(table: string, rows: number, before = ""): string {
  const lines = Array.from({ length: rows }, (_, row) => `${row}\tnote ${row}\n`).join("");
  return `--
-- PostgreSQL database dump
--

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
DROP TABLE public.${table};
${before}
CREATE TABLE public.${table} (
    id integer NOT NULL,
    note text
);

COPY public.${table} (id, note) FROM stdin;
${lines}\\.

--
-- PostgreSQL database dump complete
--

`;
}

/** Below the ports that the system gives to connections and to containers, which would take it before we do. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if ((await portProblem(port, "127.0.0.1")) === undefined) return port;
  }
}

/** Waits until a running program has said something. */
export async function untilPrinted(run: Run, words: string): Promise<void> {
  let text = "";
  const collect = (chunk: unknown): void => {
    text += String(chunk);
  };
  run.all.on("data", collect);
  await until(
    `the program says "${words}"`,
    () => {
      if (text.includes(words)) return true;
      if (run.all.readableEnded) throw new Error(`nobody said "${words}":\n${text}`);
      return false;
    },
    { every: 50 },
  );
  run.all.off("data", collect);
}
