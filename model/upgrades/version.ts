/** Stages before a release, in their order; what has none is the release itself. OpenACS has d, a and b. */
const stages = ["d", "a", "b", "rc", ""] as const;

/** A version, read: `5.10.1b2` is [5, 10, 1], stage `b`, 2. */
interface Version {
  readonly numbers: readonly bigint[];
  readonly stage: number;
  readonly stageNumber: bigint;
}

/** What a version must look like, for messages. */
export const versionRule = "numbers with dots between, like 3.4.0.10.0 or 5.10.1b2";

/** Whether a text is a version: numbers with dots between, and at the end perhaps `d`, `a`, `b` or `rc` with a number. */
export function isVersion(text: string): boolean {
  return read(text) !== undefined;
}

/**
 * Puts versions in the order people mean: number by number, so 3.4.0.9.0 comes before 3.4.0.10.0; development, alpha,
 * beta and candidate come before their release: 5.10.1d3, 5.10.1a1, 5.10.1b2, 5.10.1rc1, 5.10.1. What is left out is 0,
 * so 3.4 and 3.4.0 are the same version. Throws for a text that is no version.
 */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [readOrThrow(left), readOrThrow(right)];
  const length = Math.max(a.numbers.length, b.numbers.length);
  for (let i = 0; i < length; i++) {
    const order = compare(a.numbers[i] ?? 0n, b.numbers[i] ?? 0n);
    if (order !== 0) return order;
  }
  return a.stage - b.stage || compare(a.stageNumber, b.stageNumber);
}

/** The same text for all ways of writing one version: `3.4` for 3.4, 3.4.0 and 03.4. */
export function versionKey(text: string): string {
  const { numbers, stage, stageNumber } = readOrThrow(text);
  const last = numbers.findLastIndex((number) => number !== 0n);
  const kept = numbers.slice(0, Math.max(last, 0) + 1).join(".");
  const name = stages[stage] ?? "";
  return name === "" ? kept : `${kept}${name}${stageNumber}`;
}

function read(text: string): Version | undefined {
  const match = /^(\d+(?:\.\d+)*)(?:(d|a|b|rc)(\d*))?$/.exec(text);
  if (!match) return undefined;
  const [, numbers = "", stage = "", stageNumber = ""] = match;
  return {
    numbers: numbers.split(".").map(BigInt),
    stage: stages.indexOf(stage as (typeof stages)[number]),
    stageNumber: BigInt(stageNumber === "" ? 0 : stageNumber),
  };
}

function readOrThrow(text: string): Version {
  const version = read(text);
  if (version) return version;
  throw new Error(`"${text}" is no version; it must be ${versionRule}`);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
