import { repository } from "../support/backup";
import { Goods, database, kept, restoredFacts, type Facts } from "./judge";
import { outcomeOf, undisturbed, type Act, type Place, type Result } from "./outcome";
import type { World } from "./world";

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
  /** Milliseconds that it usually takes. */
  #usual = 0;
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
    const { times = 1, place, after } = act;
    await this.#useWay(place);
    const noted = await world.begin(act);
    const known = await this.#files();
    const { status, took } = await this.#run(act);
    if (act.made !== undefined) await server.output(["bash", "-ec", act.made]);
    if (act === undisturbed) this.#usual = took;
    let isTold = status !== 0;
    const whole: boolean[] = [];
    for (const name of (await this.#files()).filter((name) => !known.includes(name))) {
      const path = `${folder}/${name}`;
      if (!(await this.#isSound(path))) isTold = true;
      const isWhole = (await restoredFacts(server, path)) === noted;
      whole.push(isWhole);
      if (isWhole) await this.#goods.add(name);
      if (isWhole && act === undisturbed) await this.#keepAside(name, noted);
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
    const { times = 1, at = 0, place, folder: into = folder } = act;
    const copy = place
      ? `&& timeout 10 rclone ${once} --config ${rcloneConf} copy "$0" away:backups/script`
      : "";
    const program = `pg_dump -U postgres -c -O -F p ${database} 2>/dev/null | bzip2 >"$0" ${copy}`;
    const script = `
      begun=$(date +%s%3N)
      file=${into}/pg_dump.production.${database}.$(date -u -d "$(cat /var/lib/stagecraft/clock)" +%Y%m%d.%H%M%S).sql.bz2
      for n in $(seq ${times}); do
        setsid sh -c '${program}' "$file" >/dev/null 2>&1 & pid=$!; pids+=($pid)
      done
      sleep ${((at * this.#usual) / 1000).toFixed(3)}
      { ${this.world.meanwhile(act)}; } >/dev/null 2>&1
      for pid in "\${pids[@]}"; do wait $pid || status=$?; done
      echo \${status:-0} $(($(date +%s%3N) - begun))
      [ ! -e $file ] || touch -d "$(cat /var/lib/stagecraft/clock)" "$file"`;
    const { stdout } = await this.world.server.run(["bash", "-c", script]);
    const [status = Number.NaN, took = Number.NaN] = stdout.split(" ").map(Number);
    return { status, took };
  }

  /** Of the files the newest few stay; then everything is as it was in the beginning. */
  async #rotate(act: Act): Promise<number> {
    const { server } = this.world;
    await server.run(["sh", "-c", `cd ${folder} && ls -t | tail -n +${kept + 1} | xargs -r rm`]);
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

  async #isSound(path: string): Promise<boolean> {
    return (await this.world.server.run(["bzip2", "-t", path])).status === 0;
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
