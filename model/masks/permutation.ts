import { keyedDigest, numberOf } from "./keyed";

/** A range of `left` × `right` integers from `low`, within which numbers are permuted. */
export interface Block {
  readonly low: bigint;
  readonly left: bigint;
  readonly right: bigint;
}

/**
 * The blocks in which integers of these widths are permuted, in ascending order. The block of a key does not depend on the
 * type of its column, so a `bigint` and an `integer` that references it are masked to the same number.
 * @param bits widths, without the sign, of all columns in the same key: 15, 31, 63
 */
export function integerBlocks(bits: readonly number[]): Block[] {
  // Small keys in a bigint column stay safe integers in JavaScript.
  const widths = [...new Set(bits.includes(63) ? [31, ...bits] : bits)].sort((a, b) => a - b);
  return widths.map((width, i) => {
    const below = BigInt(widths[i - 1] ?? 0);
    if (below === 0n) {
      const right = BigInt(width) / 2n;
      return { low: 0n, left: 2n ** (BigInt(width) - right), right: 2n ** right };
    }
    return {
      low: 2n ** below,
      left: 2n ** (BigInt(width) - below) - 1n,
      right: 2n ** below,
    };
  });
}

/** The block of the numbers with at most `digits` decimal digits. */
export function decimalBlock(digits: number): Block {
  const right = BigInt(Math.floor(digits / 2));
  return { low: 0n, left: 10n ** (BigInt(digits) - right), right: 10n ** right };
}

/** Rounds of the network: with four, it is a strong pseudorandom permutation (Luby and Rackoff, 1988). */
const rounds = 4;

/** The round function: maps one half of a number to a number below 2^48. */
export type Round = (round: number, half: bigint) => bigint;

/**
 * Maps a non-negative number to another one of its block by a Feistel network, which is a permutation for any `round`.
 * This is the specification of {@link permutationLevels}.
 */
export function permute(value: bigint, blocks: readonly Block[], round: Round): bigint {
  const block = blocks.findLast(({ low }) => value >= low) ?? { low: 0n, left: 1n, right: 1n };
  let left = (value - block.low) / block.right;
  let right = (value - block.low) % block.right;
  for (let i = 0; i < rounds; i += 2) {
    left = (left + round(i, right)) % block.left;
    right = (right + round(i + 1, left)) % block.right;
  }
  return block.low + left * block.right + right;
}

/** The input of a round's digest: the half, with the number of the round in higher bits. */
export function roundInput(round: number, half: bigint): bigint {
  return half + BigInt(round) * 2n ** 50n;
}

/**
 * The same in SQL, as intermediate columns, level by level, and the resulting expression.
 * @param magnitude SQL of a non-negative `bigint`, or NULL
 */
export function permutationLevels(
  prefix: string,
  magnitude: string,
  blocks: readonly Block[],
): { levels: Record<string, string>[]; output: string } {
  const name = (part: string): string => `${prefix}_${part}`;
  const value = name("value");
  const ofBlock = (pick: (block: Block) => bigint): string => {
    const [lowest, ...higher] = blocks.map((block) => [block.low, pick(block)] as const);
    const branches = higher.reverse().map(([low, what]) => `WHEN ${value} >= ${low} THEN ${what}`);
    const otherwise = `${lowest?.[1] ?? 1n}::bigint`;
    return branches.length === 0 ? otherwise : `CASE ${branches.join(" ")} ELSE ${otherwise} END`;
  };
  const [low, left, right] = [name("low"), name("left"), name("right")];
  const f = (round: number, half: string): string =>
    numberOf(keyedDigest("number", `int8send(${half} + ${roundInput(round, 0n)})`));
  const levels: Record<string, string>[] = [
    { [value]: magnitude },
    {
      [low]: ofBlock((block) => block.low),
      [left]: ofBlock((block) => block.left),
      [right]: ofBlock((block) => block.right),
    },
    {
      [name("l0")]: `(${value} - ${low}) / ${right}`,
      [name("r0")]: `(${value} - ${low}) % ${right}`,
    },
  ];
  let [l, r] = [name("l0"), name("r0")];
  for (let i = 0; i < rounds; i += 2) {
    levels.push({ [name(`l${i + 1}`)]: `(${l} + ${f(i, r)}) % ${left}` });
    l = name(`l${i + 1}`);
    levels.push({ [name(`r${i + 1}`)]: `(${r} + ${f(i + 1, l)}) % ${right}` });
    r = name(`r${i + 1}`);
  }
  return { levels, output: `(${low} + ${l} * ${right} + ${r})` };
}
