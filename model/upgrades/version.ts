/** Pre-release stages in order, last the release itself. OpenACS uses d, a and b. */
const stages = ["d", "a", "b", "rc", ""] as const;

/** A parsed version: `5.10.1b2` is [5, 10, 1], stage `b`, 2. */
interface Version {
  readonly numbers: readonly bigint[];
  readonly stage: number;
  readonly stageNumber: bigint;
}

/** Format of a version, for messages. */
export const versionRule = "numbers separated by dots, like 3.4.0.10.0 or 5.10.1b2";

/** Whether a text is a version: numbers separated by dots, optionally followed by `d`, `a`, `b` or `rc` and a number. */
export function isVersion(text: string): boolean {
  return parse(text) !== undefined;
}

/**
 * Compares versions number by number: 3.4.0.9.0 comes before 3.4.0.10.0. Development, alpha, beta and release candidate
 * come before the release: 5.10.1d3, 5.10.1a1, 5.10.1b2, 5.10.1rc1, 5.10.1. Missing numbers are 0, so 3.4 and 3.4.0 are
 * equal.
 * @throws Error for a text that is not a version
 */
export function compareVersions(left: string, right: string): number {
  const [a, b] = [parseOrThrow(left), parseOrThrow(right)];
  const length = Math.max(a.numbers.length, b.numbers.length);
  for (let i = 0; i < length; i++) {
    const order = compare(a.numbers[i] ?? 0n, b.numbers[i] ?? 0n);
    if (order !== 0) return order;
  }
  return a.stage - b.stage || compare(a.stageNumber, b.stageNumber);
}

/** Normalises a version: `3.4` for 3.4, 3.4.0 and 03.4. */
export function versionKey(text: string): string {
  const { numbers, stage, stageNumber } = parseOrThrow(text);
  const last = numbers.findLastIndex((number) => number !== 0n);
  const significant = numbers.slice(0, Math.max(last, 0) + 1).join(".");
  const name = stages[stage] ?? "";
  return name === "" ? significant : `${significant}${name}${stageNumber}`;
}

function parse(text: string): Version | undefined {
  const match = /^(\d+(?:\.\d+)*)(?:(d|a|b|rc)(\d*))?$/.exec(text);
  if (!match) return undefined;
  const [, numbers = "", stage = "", stageNumber = ""] = match;
  return {
    numbers: numbers.split(".").map(BigInt),
    stage: stages.indexOf(stage as (typeof stages)[number]),
    stageNumber: BigInt(stageNumber === "" ? 0 : stageNumber),
  };
}

function parseOrThrow(text: string): Version {
  const version = parse(text);
  if (version) return version;
  throw new Error(`"${text}" is not a version; it must be ${versionRule}`);
}

function compare(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
