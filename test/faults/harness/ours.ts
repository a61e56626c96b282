import { execa } from "execa";
import { mkdirSync, readdirSync, statSync } from "node:fs";
import { basename, join } from "node:path";
import { expect, vi } from "vitest";
import { z } from "zod";
import { fileProblems } from "../../../agent/repository/backup-files";
import { catalogueSchema } from "../../../model/backup/catalogue-protocol";
import { backupIdSchema } from "../../../model/backup/backup-id";
import { formatBackupId } from "../../../model/base/names";
import { listRepository, repository } from "../../support/backups/agent-backups";
import type { CommandResult } from "../../support/servers/server";
import { Goods, kept, note, restoredFacts, type Facts } from "./judge";
import { OurSchedule, shop, type Job, type WrongKey } from "./our-schedule";
import { outcomeOf, undisturbed, type Act, type Gap, type Place, type Result } from "./outcome";
import type { World } from "./world";
import { polling } from "../../support/time/limit.mjs";

/** An attempt of ours: by a job of the schedule, and with a variable of the agent. */
export interface OurAct extends Act {
  readonly job?: Job;
  readonly variable?: string;
}

/** What an attempt printed. */
const saidFile = "/tmp/said";
const unpacked = "/tmp/unpacked";

const jobsSchema = z.record(
  z.string(),
  z.looseObject({
    schedule: z.string(),
    last: z.looseObject({ startedAt: z.string(), succeeded: z.boolean() }).nullable(),
  }),
);

/** Our backups, made, verified and forgotten by the agent. */
export class Ours {
  /** A copy of a good one on this machine, below a folder of its own. */
  readonly here: string;
  #copied = "";
  #facts: Facts = "";
  /** Milliseconds that an attempt takes when nothing is in its way, from when its folder is there. */
  #usual = Number.POSITIVE_INFINITY;
  /** What was in the database when each was made. */
  readonly #noted = new Map<string, Facts>();
  readonly #goods: Goods;
  readonly #schedule: OurSchedule;

  constructor(private readonly world: World) {
    this.here = join(world.server.folder, "stored");
    this.#goods = new Goods(world.server, repository);
    this.#schedule = new OurSchedule(world);
  }

  async prepare(): Promise<void> {
    await this.#schedule.prepare();
  }

  /** Takes a copy of the newest good backup to this machine, for what is done to stored files. */
  async takeCopy(): Promise<void> {
    const { server } = this.world;
    this.#copied = this.#goods.names.at(-1) ?? "";
    this.#facts = await this.#restored(this.#copied);
    mkdirSync(this.here);
    const tar = await server.output(["tar", "-C", repository, "-cf", "-", this.#copied]);
    await execa("tar", ["-C", this.here, "-xf", "-"], { input: tar });
  }

  /** The folder of that copy. */
  get folder(): string {
    return join(this.here, this.#copied);
  }

  /** Its files, the largest first. */
  get files(): readonly string[] {
    return readdirSync(this.folder, { recursive: true, encoding: "utf8" })
      .map((name) => join(this.folder, name))
      .filter((name) => statSync(name).isFile())
      .sort((a, b) => statSync(b).size - statSync(a).size);
  }

  /** What our look at a stored backup says of the copy as it is now, and whether that is so. */
  async checkStored(): Promise<Result> {
    const isTold = (await fileProblems(this.#copied, this.here)).length > 0;
    const tar = await execa("tar", ["-C", this.folder, "-cf", "-", "."], { encoding: "buffer" });
    // What is told needs no proof that it is bad: it is as well to be told of a file too many.
    const whole = isTold
      ? []
      : [(await this.#restoredTar(Buffer.from(tar.stdout))) === this.#facts];
    return { outcome: outcomeOf({ isTold, whole, wanted: 1 }), deleted: 0 };
  }

  /** Has a backup made while something happens to it, and retention look at what there is then. */
  async attempt(act: OurAct): Promise<Result> {
    const { world } = this;
    const { times = 1, holding, place, after } = act;
    await this.#schedule.putInForce(place, holding);
    const noted = await world.begin(act);
    const known = await this.#finals();
    const { status, took } = await this.#make(act);
    if (act.made !== undefined) await world.server.output(["bash", "-ec", act.made]);
    if (act === undisturbed) this.#usual = Math.min(this.#usual, took);
    const whole = await this.#judge(known, noted);
    const made = whole.length;
    if (place) {
      whole.push(...(await this.#judgePlace(place)));
      expect((await world.server.output(["cat", saidFile])).toString()).toMatch(place.cause);
    }
    if (after !== undefined) await world.server.run(["bash", "-c", after]);
    const outcome = outcomeOf({ isTold: status !== 0, whole, wanted: times });
    return { outcome, deleted: await this.#retain(act, made) };
  }

  /** Has a backup made that this server cannot take back, and looked at. */
  async attemptUnfit(act: OurAct): Promise<Result> {
    const { world } = this;
    await this.#schedule.putInForce();
    const noted = await world.begin(act);
    const known = await this.#finals();
    const { status } = await this.#make(act);
    const made = (await this.#finals()).filter((id) => !known.includes(id));
    const verified = await this.#verify();
    const whole = await Promise.all(made.map(async (id) => (await this.#restored(id)) === noted));
    const isTold = status !== 0 || verified.status !== 0;
    const outcome = outcomeOf({ isTold, whole, wanted: 1 });
    // It is good for a server that has what is missing here.
    return {
      outcome: outcome === "bad file" ? "told" : outcome,
      deleted: await this.#goods.missing(formatBackupId(world.now)),
    };
  }

  /** A night in which the moment of a schedule does not exist, by the agent's own scheduler. */
  async springForward({ before, after, ...timing }: Gap): Promise<Result> {
    const { world } = this;
    await world.goOn(before);
    await this.#schedule.putInForce(undefined, undefined, { spring: { ...shop, ...timing } });
    const state = async () => {
      const { stdout } = await world.server.run(["cat", "/var/lib/stagecraft/jobs.json"]);
      const found = jobsSchema.parse(JSON.parse(stdout))["backup/spring"];
      expect(found?.schedule).toBe(`${timing.schedule} ${timing.timeZone}`);
      return found;
    };
    await vi.waitFor(state, { ...polling, interval: 50 });
    const noted = await note(world.server);
    const known = await this.#finals();
    await world.goOn(after);
    // One that never runs is told of by nobody.
    const ended = async () => {
      const last = (await state())?.last;
      expect(Date.parse(last?.startedAt ?? "")).toBeGreaterThanOrEqual(after.getTime());
      return last;
    };
    const last = await vi.waitFor(ended, { ...polling, interval: 50 }).catch(() => undefined);
    const whole = await this.#judge(known, noted);
    const outcome = outcomeOf({ isTold: last?.succeeded === false, whole, wanted: 1 });
    return { outcome, deleted: await this.#retain(undisturbed, whole.length) };
  }

  /** A backup is gone from the server, and its copy is wanted back with a key that does not open it, and then with the right one. */
  async fetchWith(wrong: WrongKey): Promise<Result> {
    const { world } = this;
    const { server } = world;
    const place: Place = { user: "writer", cause: /copied off-site/ };
    await this.#schedule.putInForce(place);
    const noted = await world.begin({ place });
    const known = await this.#finals();
    expect((await this.#make({})).status).toBe(0);
    const [id = ""] = (await this.#finals()).filter((id) => !known.includes(id));
    await server.output(["rm", "-r", `${repository}/${id}`]);
    const fetch = async (identity: string): Promise<CommandResult> =>
      server.agent(["offsite-fetch"], { server: server.name, of: server.name, id, identity });
    const refused = await fetch(await this.#schedule.wrongKey(wrong));
    const whole = await this.#judge(known, noted);
    const outcome = outcomeOf({ isTold: refused.status !== 0, whole, wanted: 1 });
    const fetched = await fetch(await this.#schedule.key());
    expect(fetched.status, fetched.stderr).toBe(0);
    expect(await this.#judge(known, noted)).toEqual([true]);
    await world.clearPlace(place);
    return { outcome, deleted: await this.#retain(undisturbed, 1) };
  }

  /** Some bytes of a good backup change where it lies, and the agent looks a week later. */
  async alterInPlace(offset: number): Promise<Result> {
    const { world } = this;
    const { server } = world;
    const id = this.#goods.names.at(-1) ?? "";
    const facts = await this.#restored(id);
    const inDump = async (script: string): Promise<unknown> =>
      server.output([
        "bash",
        "-ec",
        `cd ${repository}/${id}/*.dir; file=$(ls -S | head -n 1); ${script}`,
      ]);
    await inDump(
      `cp "$file" /tmp/aside; printf XXXX | dd of="$file" bs=1 seek=${offset} conv=notrunc status=none`,
    );
    this.#goods.remove(id);
    await world.pass(8 * 24);
    const { status } = await this.#verify();
    const whole = [(await this.#restored(id)) === facts];
    const outcome = outcomeOf({ isTold: status !== 0, whole, wanted: 1 });
    const deleted = await this.#goods.missing(formatBackupId(world.now));
    await inDump('cat /tmp/aside >"$file"');
    const again = await server.agent(["verify"], { server: server.name, backup: id });
    expect(again.status, again.stderr).toBe(0);
    await this.#goods.add(id);
    // What was bad where a backup lay is not a bad file under a final name that somebody made.
    return { outcome: outcome === "bad file" ? "told" : outcome, deleted };
  }

  /** That everything that is kept still restores, each to what was there when it was made. */
  async expectGoods(): Promise<void> {
    expect(this.#goods.names.length).toBeGreaterThanOrEqual(kept);
    for (const [id, facts] of this.#noted)
      if (this.#goods.names.includes(id)) expect(await this.#restored(id), id).toBe(facts);
  }

  async #make(act: OurAct): Promise<{ readonly status: number; readonly took: number }> {
    const { times = 1, at = 0, holding, variable = "LC_ALL=C" } = act;
    const job = holding ? "holding" : (act.job ?? "shop");
    const { server } = this.world;
    const request = JSON.stringify({ server: server.name, job });
    const script = `
      for n in $(seq ${times}); do
        env ${variable} stagecraft-agent backup <<<'${request}' >${saidFile} 2>&1 & pid=$!; pids+=($pid)
      done
      until ls -d ${repository}/*.partial >/dev/null 2>&1; do
        kill -0 $pid 2>/dev/null || break
        sleep 0.01
      done
      begun=$(date +%s%3N)
      sleep ${at === 0 ? 0 : ((at * this.#usual) / 1000).toFixed(3)}
      { ${this.world.meanwhile(act)}; } >/dev/null 2>&1
      for pid in "\${pids[@]}"; do wait $pid || status=$?; done
      echo \${status:-0} $(($(date +%s%3N) - begun))`;
    const { stdout } = await server.run(["bash", "-c", script]);
    const [status = Number.NaN, took = Number.NaN] = stdout.split(" ").map(Number);
    return { status, took };
  }

  /** Restores all that is new under the name of a backup. */
  async #judge(known: readonly string[], noted: Facts): Promise<boolean[]> {
    const whole: boolean[] = [];
    for (const id of (await this.#finals()).filter((id) => !known.includes(id))) {
      const isWhole = (await this.#restored(id)) === noted;
      whole.push(isWhole);
      this.#noted.set(id, noted);
      if (isWhole) await this.#goods.add(id);
    }
    return whole;
  }

  /** The same with all that is under a final name away; it does not stay there. */
  async #judgePlace(place: Place): Promise<boolean[]> {
    const { world } = this;
    const whole: boolean[] = [];
    for (const path of await world.thereAt(place)) {
      const decrypt = ["age", "--decrypt", "--identity", this.#schedule.identityFile];
      const facts = await this.#restoredTar(await world.fetch(path), decrypt);
      whole.push(facts === this.#noted.get(basename(path, ".tar.age")));
    }
    await world.clearPlace(place);
    return whole;
  }

  /** The agent verifies what is new and removes what is old, as after every backup. */
  async #retain(act: Act, made: number): Promise<number> {
    const { world } = this;
    const look = async (moment: Date): Promise<number> => {
      for (let n = 0; n < Math.max(1, made); n++) {
        const { status, stderr } = await this.#verify();
        if (!act.clock) expect(status, stderr).toBe(0);
      }
      return this.#goods.missing(formatBackupId(moment));
    };
    const deleted = await look(world.clockAfter(act));
    if (!act.clock) return deleted;
    // Somebody sees to the clock.
    await world.pass(0);
    const again = await look(world.now);
    const { stdout } = await world.server.agent(["backups"], {
      server: world.server.name,
      pins: [],
    });
    catalogueSchema.parse(JSON.parse(stdout));
    // Until no backup is of a time to come any more.
    if (act.clock.days > 0) await world.pass(act.clock.days * 24);
    return deleted + again;
  }

  async #verify(): Promise<CommandResult> {
    return this.world.server.agent(["job", "verification", "verify"]);
  }

  /** What goes by the name of a backup, whether or not it is one. */
  async #finals(): Promise<string[]> {
    const names = await listRepository(this.world.server);
    return names.filter((name) => backupIdSchema.safeParse(name).success);
  }

  async #restored(id: string): Promise<Facts> {
    return restoredFacts(this.world.server, `${repository}/${id}`);
  }

  /** What a backup has that comes as a tar, through a program. */
  async #restoredTar(tar: Buffer, program: readonly string[] = ["cat"]): Promise<Facts> {
    const { server } = this.world;
    const script = `rm -rf ${unpacked}; mkdir ${unpacked}; "$@" | tar -C ${unpacked} -xf -`;
    await server.run(["bash", "-c", script, "-", ...program], tar);
    return restoredFacts(server, unpacked);
  }
}
