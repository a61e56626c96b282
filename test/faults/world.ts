import { execa } from "execa";
import { mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { fileProblems } from "../../agent/backup/verify";
import { backUpWell, listRepository, readManifest, repository, schedule } from "../support/backup";
import type { TestServer } from "../support/server";

/** What became of one run. `undetected`: a bad result that nobody is told of; `bad file`: told, but left under a final name. */
export type Outcome = "whole" | "told" | "bad file" | "UNDETECTED";

/** The file that the former script writes, in the same volume as our backups. */
const scriptFile = `${repository}/script.sql.bz2`;

/** Without the random word that pg_dump guards a dump with. */
const sumOf = (file: string): string =>
  `bzip2 -dc ${file} 2>/dev/null | grep -v '^.\\(un\\)\\?restrict ' | sha256sum`;

/** A server with contents, a good backup of ours and a good file of the former script. */
export class World {
  /** The id of the good backup. */
  good = "";
  /** A copy of it on this machine, below a folder of its own. */
  readonly here: string;
  /** The good file of the former script. */
  file: Buffer = Buffer.alloc(0);
  #sum = "";
  #rows: unknown;

  constructor(readonly server: TestServer) {
    this.here = join(server.folder, "stored");
  }

  async prepare(): Promise<void> {
    const { server } = this;
    await server.createDatabase(
      "template_of_shop",
      `CREATE TABLE public.a AS SELECT i, md5(i::text) || md5((-i)::text) AS note FROM generate_series(1, 60000) i;
       CREATE TABLE public.z AS SELECT generate_series(1, 500) AS id;`,
    );
    await this.makeShop();
    const shop = { databases: ["shop"], parallel: 1 };
    await schedule(server, { shop, impatient: { ...shop, lockTimeout: "1 s" } });
    const manifest = await backUpWell(server, "shop");
    this.good = manifest.id;
    this.#rows = manifest.databases.map(({ name, tables }) => ({ name, tables }));
    mkdirSync(this.here);
    const tar = await server.output(["tar", "-C", repository, "-cf", "-", this.good]);
    await execa("tar", ["-C", this.here, "-xf", "-"], { input: tar });
    const script = `pg_dump -U postgres -c -O -F p shop | bzip2`;
    this.file = await server.output(["sh", "-c", script]);
    this.#sum = (await this.#inspect(this.file)).sum;
  }

  /** The database that is backed up, as it was in the beginning. */
  async makeShop(): Promise<void> {
    await this.server.sql("postgres", "DROP DATABASE IF EXISTS shop WITH (FORCE)");
    await this.server.sql("postgres", "CREATE DATABASE shop TEMPLATE template_of_shop");
  }

  /** The largest file of the good backup, and all of them, on this machine. */
  get files(): { readonly largest: string; readonly all: readonly string[] } {
    const folder = join(this.here, this.good);
    const all = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((name) => join(folder, name))
      .filter((name) => statSync(name).isFile())
      .sort((a, b) => statSync(b).size - statSync(a).size);
    return { largest: all[0] ?? "", all };
  }

  /** What our check of the stored backup says of the copy as it is now. */
  async checkStored(): Promise<Outcome> {
    return (await fileProblems(this.good, this.here)).length > 0 ? "told" : "UNDETECTED";
  }

  /** What the former way to check a file (`bzip2 -t`) says of one that is not as it was. */
  async checkFile(file: Buffer): Promise<Outcome> {
    const { isSound, sum } = await this.#inspect(file);
    if (!isSound) return "told";
    return sum === this.#sum ? "whole" : "UNDETECTED";
  }

  async #inspect(file: Buffer): Promise<{ isSound: boolean; sum: string }> {
    const script = `cat >/tmp/f.bz2; bzip2 -t /tmp/f.bz2 2>/dev/null; echo $?; ${sumOf("/tmp/f.bz2")}; rm /tmp/f.bz2`;
    const { stdout } = await this.server.run(["sh", "-c", script], file);
    const [status, sum = ""] = stdout.split("\n");
    return { isSound: status === "0", sum };
  }

  /**
   * Makes a backup by hand while something happens to it: `meanwhile` is shell, run some milliseconds after the
   * backup's folder is there, with `$pid` of the agent. Judges by what lies there afterwards.
   */
  async backUp(
    meanwhile: string,
    delay: number,
    { job = "shop", before = "true", environment = "" } = {},
  ): Promise<Outcome> {
    const { server } = this;
    const known = new Set(await listRepository(server));
    const request = JSON.stringify({ server: server.name, job });
    const script = `${before}
      printf %s '${request}' | ${environment} stagecraft-agent backup >/tmp/out 2>/tmp/err & pid=$!
      for i in $(seq 1000); do
        ls -d ${repository}/*.partial >/dev/null 2>&1 && break
        kill -0 $pid 2>/dev/null || break
        sleep 0.02
      done
      sleep ${delay / 1000}
      { ${meanwhile}; } >/dev/null 2>&1
      wait $pid; echo $?`;
    const { stdout } = await server.run(["bash", "-c", script]);
    const isTold = stdout.trim() !== "0";
    const made = (await listRepository(server)).filter(
      (name) => !known.has(name) && !name.endsWith(".partial") && /^\d{8}T/.test(name),
    );
    const good = await Promise.all(made.map(async (id) => this.#isGood(id)));
    if (good.includes(false)) return isTold ? "bad file" : "UNDETECTED";
    return made.length > 0 ? "whole" : isTold ? "told" : "UNDETECTED";
  }

  /** By its rows and by its checksums, reckoned by other programs than ours. */
  async #isGood(id: string): Promise<boolean> {
    const manifest = await readManifest(this.server, id);
    const rows = manifest.databases.map(({ name, tables }) => ({ name, tables }));
    const sums = manifest.files.map(({ path, sha256 }) => `${sha256}  ${path}\n`).join("");
    const check = ["sh", "-c", `cd ${repository}/${id} && sha256sum --quiet -c -`];
    const { status } = await this.server.run(check, Buffer.from(sums));
    return status === 0 && JSON.stringify(rows) === JSON.stringify(this.#rows);
  }

  /** The same with the former script, whose exit status and `bzip2 -t` are all that tells. */
  async runScript(meanwhile: string, delay: number, { before = "true" } = {}): Promise<Outcome> {
    const script = `${before}
      rm -f ${scriptFile}
      sh -c 'pg_dump -U postgres -c -O -F p shop 2>/dev/null | bzip2 >${scriptFile}' & pid=$!
      sleep ${delay / 1000}
      { ${meanwhile}; } >/dev/null 2>&1
      wait $pid; status=$?
      while [ "$(${pidsOf("bzip2")})" != "" ]; do sleep 0.05; done
      echo $status
      bzip2 -t ${scriptFile} 2>/dev/null; echo $?
      ${sumOf(scriptFile)}
      rm -f ${scriptFile}`;
    const { stdout } = await this.server.run(["bash", "-c", script]);
    const [status, sound, sum] = stdout.split("\n");
    if (sum === this.#sum) return "whole";
    return status === "0" && sound === "0" ? "UNDETECTED" : "bad file";
  }

  /** The good backup is there, as it was. */
  async expectGoodOne(): Promise<void> {
    expect(await this.#isGood(this.good)).toBe(true);
    expect(await fileProblems(this.good, this.here)).toEqual([]);
  }

  /** Where the bytes of a file of the copy come from and go to. */
  read(file: string): Buffer {
    return readFileSync(file);
  }
}

/** Shell that prints the process ids of a program in the container. */
export function pidsOf(program: string): string {
  return `for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" = ${program} ] && echo \${p#/proc/}; done`;
}
