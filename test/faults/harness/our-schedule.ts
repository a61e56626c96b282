import { expect } from "vitest";
import { database, kept, type Holding } from "./judge";
import type { Place } from "./outcome";
import type { World } from "./world";

/** None of them runs by itself. */
const never = { schedule: "0 0 29 2 *", missed: "wait" };
/** Of the usual database. */
export const shop = { ...never, databases: [database], parallel: 1 };
const jobs = {
  shop,
  packed: { ...never, databases: [database], format: "plain", compression: "bzip2" },
  impatient: { ...shop, lockTimeout: "1 s" },
};

/** The jobs that there are. */
export type Job = keyof typeof jobs;

/** What is given instead of the key that opens a copy. */
export type WrongKey = "another" | "none" | "half";

/** The schedule of our backups, and the keys of their copies away. */
export class OurSchedule {
  /** Where the private key is. */
  readonly identityFile = "/tmp/identity";
  #recipient = "";
  #inForce = "";

  constructor(private readonly world: World) {}

  async prepare(): Promise<void> {
    const { server } = this.world;
    const identity = await server.output(["age-keygen"]);
    this.#recipient = /public key: (\S+)/.exec(identity.toString())?.[1] ?? "";
    await server.output(["sh", "-c", `cat >${this.identityFile}`], identity);
  }

  /** Puts it in force, where another one is. */
  async putInForce(place?: Place, holding?: Holding, more: object = {}): Promise<void> {
    const { server } = this.world;
    const names = holding?.databases.map(({ name }) => name);
    const held = names && { holding: { ...never, databases: names } };
    const limits = { recipients: [this.#recipient], keep: { last: 1 }, idle: "1 s", limit: "20 s" };
    const request = {
      ...{ server: server.name, jobs: { ...jobs, ...held, ...more }, maintenance: {}, pins: [] },
      ...{ keep: { last: kept }, verify: never },
      ...(place && { offsite: { ...this.world.wayTo(place), ...limits } }),
    };
    if (this.#inForce === JSON.stringify(request)) return;
    const said = await server.agent(["backups-schedule"], request);
    expect(said.status, said.stderr).toBe(0);
    this.#inForce = JSON.stringify(request);
  }

  /** The private key. */
  async key(): Promise<string> {
    return (await this.world.server.output(["cat", this.identityFile])).toString();
  }

  /** What does not open a copy. */
  async wrongKey(wrong: WrongKey): Promise<string> {
    if (wrong === "none") return "";
    if (wrong === "another") return (await this.world.server.output(["age-keygen"])).toString();
    const key = await this.key();
    return key.slice(0, key.length / 2);
  }
}
