import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";

/** Milliseconds on the machine whose times the tests are written for: an idle core of an AMD EPYC. */
const reference = { startNode: 45, hash: 33 };

/** Beyond this a limit would no longer end a hang within a day's work. */
const mostSlowness = 6;

/** Handed from Vitest's own process to those that run tests, so that a run measures once. */
const variable = "STAGECRAFT_TEST_SLOWNESS";

/**
 * How many times slower this machine is than the one the tests are written for, from 1 to 6. Measured once in a run;
 * `STAGECRAFT_TEST_SLOWNESS` sets it.
 */
export function slowness(): number {
  const known = Number(process.env[variable]);
  if (known >= 1) return known;
  const measured = slownessNow();
  process.env[variable] = measured.toFixed(2);
  return measured;
}

/** The same, measured now: another program may take its share of the processors for a while. Takes a third of a second. */
function slownessNow(): number {
  const bytes = Buffer.alloc(32 * 2 ** 20, 1);
  const startNode = median(() => spawnSync(process.execPath, ["-e", "0"]));
  const hash = median(() => createHash("sha256").update(bytes).digest());
  const factor = Math.max(startNode / reference.startNode, hash / reference.hash);
  return Math.min(Math.max(factor, 1), mostSlowness);
}

/** Milliseconds of three runs, the middle one. */
function median(run: () => unknown): number {
  const times = [0, 1, 2].map(() => {
    const began = performance.now();
    run();
    return performance.now() - began;
  });
  return times.sort((a, b) => a - b)[1] ?? 0;
}

/** Milliseconds. */
export const second = 1000;

/** Milliseconds. */
export const minute = 60 * second;

/**
 * Milliseconds after which something that takes no more than `milliseconds` on a quick machine is given up: longer on a
 * slower machine. It ends a hang and judges no speed, so choose it generously.
 */
export function limit(milliseconds: number): number {
  return Math.round(milliseconds * slowness());
}

/** How `vi.waitFor` and `expect.poll` wait for something that comes by itself. */
export const polling = { timeout: limit(5 * minute), interval: 200 };

/**
 * Milliseconds that something may take where the speed itself is tested, given what it may take on a quick machine. The
 * machine's speed is measured again: call it right after what it judges.
 */
export function atMost(milliseconds: number): number {
  return Math.round(milliseconds * Math.max(slowness(), slownessNow()));
}
