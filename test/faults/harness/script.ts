import { repository } from "../../support/backups/agent-backups";
import { Goods, database, kept, restoredFacts, type Facts } from "./judge";
import { outcomeOf, undisturbed, type Act, type Place, type Result } from "./outcome";
import type { World } from "./world";
import { limit, second } from "../../support/time/limit.mjs";

/** An attempt of the former script. */
export interface ScriptAct extends Act {
  /** Where it writes to. */
  readonly folder?: string;
}

/** In the same volume as our backups. */
const folder = `${repository}/script`;
/** The good ones, outside of it, to begin the next attempt with. */
const aside = "/tmp/script";
/** It does not try for long where nothing changes in between. */
const once = "--retries 1 --low-level-retries 1 --contimeout 5s --timeout 5s";
const rcloneConf = "/tmp/script.conf";

/** What the former script makes: `pg_dump | bzip2`, a copy of it away, and of the files the newest few. */
export class Script {
  /** A good file, on this machine. */
  file: Buffer = Buffer.alloc(0);
  #facts: Facts = "";
  /** Milliseconds that it takes when nothing is in its way. */
  #usual = Number.POSITIVE_INFINITY;
  readonly #goods: Goods;

  constructor(private readonly world: World) {
    this.#goods = new Goods(world.server, folder);
  }

  async prepare(): Promise<void> {
    await this.world.server.output(["mkdir", folder, aside]);
  }

  /** What the usual look at a file (`bzip2 -t`) says of one, and whether that is so. */
  async checkFile(file: Buffer): Promise<Result> {
    const path = "/tmp/checked.bz2";
    await this.world.server.output(["sh", "-c", `cat >${path}`], file);
    const isTold = !(await this.#isSound(path));
    // What is told needs no proof that it is bad.
    const whole = isTold ? [] : [(await restoredFacts(this.world.server, path)) === this.#facts];
    return { outcome: outcomeOf({ isTold, whole, wanted: 1 }), deleted: 0 };
  }

  /** Has the script run while something happens to it, and its rotation afterwards. */
  async attempt(act: ScriptAct): Promise<Result> {
    const { world } = this;
    const { server } = world;
    const { times = 1, holding, place, after } = act;
    await this.#useWay(place);
    const noted = await world.begin(act);
    const known = await this.#files();
    const { status, took } = await this.#run(act);
    if (act.made !== undefined) await server.output(["bash", "-ec", act.made]);
    if (act === undisturbed) this.#usual = Math.min(this.#usual, took);
    let isTold = status !== 0;
    const whole: boolean[] = [];
    const made = (await this.#files()).filter((name) => !known.includes(name));
    // Of several databases each has a file, and together they are a backup.
    for (const names of holding ? [made] : made.map((name) => [name])) {
      const paths = names.map((name) => `${folder}/${name}`);
      if (!(await this.#isSound(...paths))) isTold = true;
      const isWhole = (await restoredFacts(server, ...paths)) === noted;
      whole.push(isWhole);
      const [name] = names;
      if (!isWhole || holding || name === undefined) continue;
      await this.#goods.add(name);
      if (act === undisturbed) await this.#keepAside(name, noted);
    }
    for (const path of place ? await world.thereAt(place) : []) {
      const fetched = "/tmp/fetched.bz2";
      await server.output(["sh", "-c", `cat >${fetched}`], await world.fetch(path));
      if (!(await this.#isSound(fetched))) isTold = true;
      whole.push((await restoredFacts(server, fetched)) === noted);
    }
    if (place) await world.clearPlace(place);
    if (after !== undefined) await server.run(["bash", "-c", after]);
    const outcome = outcomeOf({ isTold, whole, wanted: times });
    return { outcome, deleted: act === undisturbed ? 0 : await this.#rotate(act) };
  }

  async #run(act: ScriptAct): Promise<{ readonly status: number; readonly took: number }> {
    const { times = 1, at = 0, holding, place, folder: into = folder } = act;
    const copy = place
      ? `&& timeout ${limit(10 * second) / second} rclone ${once} --config ${rcloneConf} copy "$file" away:backups/script`
      : "";
    // A line for each, as psql prints them.
    const databases = holding?.databases.map(({ name }) => name).join("\n") ?? database;
    const program = `
      for database in $1; do
        file=${into}/pg_dump.production.$database.$0.sql.bz2
        pg_dump -U postgres -c -O -F p "$database" 2>/dev/null | bzip2 >"$file" ${copy}
      done`;
    const script = `
      begun=$(date +%s%3N)
      moment=$(date -u -d "$(cat /var/lib/stagecraft/clock)" +%Y%m%d.%H%M%S)
      for n in $(seq ${times}); do
        setsid sh -c '${program}' $moment "$0" >/dev/null 2>&1 & pid=$!; pids+=($pid)
      done
      sleep ${at === 0 ? 0 : ((at * this.#usual) / 1000).toFixed(3)}
      { ${this.world.meanwhile(act)}; } >/dev/null 2>&1
      for pid in "\${pids[@]}"; do wait $pid || status=$?; done
      echo \${status:-0} $(($(date +%s%3N) - begun))
      touch -cd "$(cat /var/lib/stagecraft/clock)" ${into}/*.$moment.sql.bz2`;
    const { stdout } = await this.world.server.run(["bash", "-c", script, databases]);
    const [status = Number.NaN, took = Number.NaN] = stdout.split(" ").map(Number);
    return { status, took };
  }

  /** Of the files the newest few of each database stay; then everything is as it was in the beginning. */
  async #rotate(act: Act): Promise<number> {
    const { server } = this.world;
    const files = kept * (1 + (act.holding?.databases.length ?? 0));
    await server.run(["sh", "-c", `cd ${folder} && ls -t | tail -n +${files + 1} | xargs -r rm`]);
    const newest = this.#nameAt(this.world.clockAfter(act));
    const deleted = await this.#goods.missing(newest);
    await server.output(["sh", "-c", `rm -rf ${folder} && cp -a ${aside} ${folder}`]);
    for (const name of this.#goods.names) this.#goods.remove(name);
    for (const name of await this.#files()) await this.#goods.add(name);
    if (act.clock) await this.world.pass(0);
    return deleted;
  }

  async #keepAside(name: string, noted: Facts): Promise<void> {
    const { server } = this.world;
    await server.output(["cp", "-p", `${folder}/${name}`, aside]);
    this.file = await server.output(["cat", `${folder}/${name}`]);
    this.#facts = noted;
  }

  /** How rclone comes there. */
  async #useWay(place: Place | undefined): Promise<void> {
    if (!place) return;
    const { known_hosts, key_pem, ...options } = this.world.wayTo(place).options;
    const hosts = "/tmp/script.hosts";
    const lines = Object.entries({
      ...{ type: "sftp", known_hosts_file: hosts, ...options },
      key_pem: JSON.stringify(key_pem).slice(1, -1),
    }).map(([name, value]) => `${name} = ${value}\n`);
    const { server } = this.world;
    await server.output(["sh", "-c", `cat >${hosts}`], Buffer.from(known_hosts));
    const conf = Buffer.from(`[away]\n${lines.join("")}`);
    await server.output(["sh", "-c", `cat >${rcloneConf}`], conf);
  }

  async #isSound(...paths: readonly string[]): Promise<boolean> {
    return (await this.world.server.run(["bzip2", "-t", "--", ...paths])).status === 0;
  }

  async #files(): Promise<string[]> {
    const { stdout } = await this.world.server.run(["ls", folder]);
    return stdout.split("\n").filter((name) => name !== "");
  }

  #nameAt(moment: Date): string {
    const [day = "", time = ""] = moment
      .toISOString()
      .replaceAll(/[-:]|\..*/g, "")
      .split("T");
    return `pg_dump.production.${database}.${day}.${time}.sql.bz2`;
  }
}
