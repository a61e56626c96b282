import { repository } from "../../support/backups/agent-backups";
import type { Fault } from "./faults";
import { database } from "./judge";
import type { OurAct } from "./ours";
import type { Result } from "./outcome";
import type { ScriptAct } from "./script";
import type { World } from "./world";

/** Share of the time by which one run differs from the next. */
const jitter = 0.04;

/** Shell that prints the process ids of a program where the attempts are made. */
const pidsOf = (program: string): string =>
  `for p in /proc/[0-9]*; do [ "$(cat $p/comm 2>/dev/null)" = ${program} ] && echo \${p#/proc/}; done`;
/** Ends a program, as soon as it is there. */
const kill = (program: string): string => `
  while found=$(${pidsOf(program)}); [ -z "$found" ] && kill -0 $pid; do sleep 0.01; done
  kill -9 $found`;
const terminate = (who: string): string =>
  `psql -U postgres -qc "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${who} AND pid <> pg_backend_pid()"`;
const drop = `psql -U postgres -qc "DROP DATABASE ${database} WITH (FORCE)"`;

/** The same is done to an attempt of ours and to one of the script's. */
function fault(name: string, ours: OurAct, script: ScriptAct = ours): Fault {
  return {
    name,
    ours: async (world) => world.ours.attempt(ours),
    script: async (world) => world.script.attempt(script),
  };
}

/** What is done at a moment of an attempt: at the same share of the time that each usually takes. */
function during(
  name: string,
  share: number,
  [ours, script]: readonly [OurAct, ScriptAct],
  mend: (world: World) => Promise<void> = async () => Promise.resolve(),
): Fault {
  const mended = async (world: World, result: Promise<Result>): Promise<Result> =>
    result.finally(async () => mend(world));
  const at = (run: number): number => share + run * jitter;
  return {
    name: `${name}, at ${share * 100} %`,
    ours: async (world, run) => mended(world, world.ours.attempt({ ...ours, at: at(run) })),
    script: async (world, run) => mended(world, world.script.attempt({ ...script, at: at(run) })),
  };
}

const doing = (ours: string, script = ours): readonly [OurAct, ScriptAct] => [
  { meanwhile: ours },
  { meanwhile: script },
];

const inTheMiddle: Fault[] = [
  ...[0, 0.25, 0.5, 0.75].map((share) =>
    during("everything killed", share, doing("kill -9 $pid", "kill -9 -- -$pid")),
  ),
  ...[0.05, 0.15].map((share) => during("pg_dump killed", share, doing(kill("pg_dump")))),
  ...[0.05, 0.25].map((share) =>
    during("the packer killed", share, [
      { job: "packed", meanwhile: kill("bzip2") },
      { meanwhile: kill("bzip2") },
    ]),
  ),
  ...[0, 0.15].map((share) => {
    const ours = terminate("application_name IN ('pg_dump', 'stagecraft-agent')");
    return during(
      "the connection cut",
      share,
      doing(ours, terminate("application_name = 'pg_dump'")),
    );
  }),
  ...[0, 0.15].map((share) =>
    during("the database dropped", share, doing(drop), async (world) => world.makeShop()),
  ),
];

/** Somebody keeps a table for himself. */
const lock = (seconds: number): string =>
  `psql -U postgres -d ${database} -qc "BEGIN; LOCK TABLE z; SELECT 'holder', pg_sleep(${seconds})" >/dev/null 2>&1 &
  until [ "$(psql -U postgres -d ${database} -qAtc "SELECT count(*) FROM pg_locks WHERE relation = 'z'::regclass AND mode = 'AccessExclusiveLock' AND granted")" = 1 ]; do sleep 0.02; done`;

const fullDisk = (keep: number): string =>
  `free=$(df --output=avail -B1 ${repository} | tail -1); head -c $((free - ${keep})) /dev/zero >${repository}/filler`;
const empty = `rm -f ${repository}/filler`;

/** What happens to attempts. */
export const attemptFaults: readonly Fault[] = [
  ...inTheMiddle,
  ...[0, 100_000, 300_000].map((keep) =>
    fault(`the disk full but for ${keep / 1000} kB`, { before: fullDisk(keep), after: empty }),
  ),
  fault(
    "a table locked for longer than the limit",
    { job: "impatient", before: lock(7200), after: terminate("query ~ 'holder'") },
    // It has no limit, and waits.
    { before: lock(1.6) },
  ),
  fault(
    "the backups' folder missing",
    { variable: "STAGECRAFT_BACKUPS=/nowhere" },
    { folder: "/nowhere" },
  ),
  fault("two asked for at once", { times: 2 }),
];
