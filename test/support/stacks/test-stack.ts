import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { pulumiEnvironment } from "../../../tools";
import { processOfTest } from "../programs/process";
import { checkout } from "../files/checkout";

/** What one `pulumi up` told. */
export interface Update {
  readonly exitCode: number;
  /** Operations by the names of resources, without those that stay the same. */
  readonly operations: Record<string, string[]>;
  /** Lines of the resources. */
  readonly lines: string[];
  readonly errors: string;
}

interface EngineEvent {
  readonly resourcePreEvent?: { readonly metadata: { readonly op: string; readonly urn: string } };
  readonly diagnosticEvent?: {
    readonly message: string;
    readonly severity: string;
    readonly urn?: string;
  };
}

/** A project in a temporary folder with a backend of its own; its program is given as JavaScript. */
export class TestStack {
  /** Hears each line of a resource when it is shown. */
  onLine: (line: string) => void = () => undefined;

  private constructor(readonly folder: string) {}

  static async create(program: string): Promise<TestStack> {
    const stack = new TestStack(await mkdtemp(join(tmpdir(), "stagecraft-stack-")));
    const path = (name: string): string => join(stack.folder, name);
    await mkdir(path("state"));
    await symlink(join(checkout, "node_modules"), path("node_modules"));
    await writeFile(path("package.json"), JSON.stringify({ name: "try" }));
    await writeFile(
      path("Pulumi.yaml"),
      "name: try\nmain: index.js\nruntime: { name: nodejs, options: { typescript: false } }\n",
    );
    await stack.write(program);
    await stack.pulumi("stack", "init", "test");
    return stack;
  }

  async write(program: string): Promise<void> {
    const imports = ["command", "docker", "pulumi"]
      .map((name) => `const ${name} = require("@pulumi/${name}");\n`)
      .join("");
    await writeFile(join(this.folder, "index.js"), imports + program);
  }

  /** Starts `pulumi` in the project. */
  start(...args: string[]) {
    return processOfTest(
      execa("pulumi", [...args, "--non-interactive"], {
        cwd: this.folder,
        env: {
          ...pulumiEnvironment(this.folder),
          PULUMI_BACKEND_URL: `file://${this.folder}/state`,
          PULUMI_CONFIG_PASSPHRASE: "test",
        },
        stdin: "ignore",
        reject: false,
      }),
    );
  }

  /** All that is in its state, also of before. */
  async state(): Promise<string> {
    const folder = join(this.folder, "state", ".pulumi");
    const files = await readdir(folder, { recursive: true, withFileTypes: true });
    const texts = files
      .filter((file) => file.isFile())
      .map(async (file) => readFile(join(file.parentPath, file.name), "utf8"));
    return (await Promise.all(texts)).join("\n");
  }

  async pulumi(...args: string[]): Promise<string> {
    const { failed, stdout, stderr } = await this.start(...args);
    if (failed) throw new Error(`pulumi ${args.join(" ")}: ${stdout}${stderr}`);
    return stdout;
  }

  async up(...args: string[]): Promise<Update> {
    const update = this.start("up", "--yes", "--skip-preview", "--json", ...args);
    const operations: Update["operations"] = {};
    const lines: string[] = [];
    const errors: string[] = [];
    for await (const line of update) {
      if (!line.startsWith("{")) continue;
      const event = JSON.parse(line) as EngineEvent;
      const done = event.resourcePreEvent?.metadata;
      if (done && done.op !== "same") (operations[nameOf(done.urn)] ??= []).push(done.op);
      const said = event.diagnosticEvent;
      if (said?.severity === "info") {
        lines.push(said.message.trim());
        this.onLine(said.message.trim());
      }
      if (said?.severity === "error") errors.push(said.message);
    }
    const { exitCode = 1, stderr } = await update;
    return { exitCode, operations, lines, errors: errors.join("\n") + stderr };
  }

  async outputs(): Promise<Record<string, string>> {
    const text = await this.pulumi("stack", "output", "--json", "--show-secrets");
    return JSON.parse(text) as Record<string, string>;
  }

  async remove(): Promise<void> {
    await this.start("destroy", "--yes", "--skip-preview");
    await rm(this.folder, { recursive: true, force: true });
  }
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}
