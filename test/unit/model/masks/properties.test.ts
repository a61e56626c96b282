import fc from "fast-check";
import { createHash } from "node:crypto";
import { describe, expect, test } from "vitest";
import { columnText, parseColumnName } from "../../../../model/masks/column-name";
import { mask, type Mask } from "../../../../model/masks/mask";
import {
  decimalBlock,
  integerBlocks,
  permute,
  type Block,
  type Round,
} from "../../../../model/masks/permutation";
import { planMasks } from "../../../../model/masks/plan";
import { rewriteSql } from "../../../../model/masks/statements";
import { catalogue, column, table } from "../../../support/masks/catalogue";

const roundsOf =
  (seed: number): Round =>
  (round, half) =>
    createHash("sha256").update(`${seed}|${round}|${half}`).digest().readBigUInt64BE() >> 16n;

const isWhole = (blocks: readonly Block[], limit: bigint): boolean =>
  blocks.every(({ low, left, right }, i) => low + left * right === (blocks[i + 1]?.low ?? limit));

describe("whole numbers", () => {
  test.each([
    [[15], 15n],
    [[31], 31n],
    [[63], 63n],
    [[15, 31], 31n],
    [[31, 63, 15], 63n],
  ])("of %j bits are exchanged within blocks without a gap", (bits, widest) => {
    expect(isWhole(integerBlocks(bits), 2n ** widest)).toBe(true);
  });

  test.each([1, 2, 3, 4])("of up to %i digits are exchanged one for one", (digits) => {
    const all = Array.from({ length: 10 ** digits }, (_, i) => BigInt(i));
    const others = all.map((value) => permute(value, [decimalBlock(digits)], roundsOf(digits)));
    expect(new Set(others)).toEqual(new Set(all));
  });

  test("of 12 bits, in two blocks, are exchanged one for one", () => {
    const blocks: Block[] = [
      { low: 0n, left: 8n, right: 8n },
      { low: 64n, left: 63n, right: 64n },
    ];
    const all = Array.from({ length: 2 ** 12 }, (_, i) => BigInt(i));
    expect(new Set(all.map((value) => permute(value, blocks, roundsOf(7)))).size).toBe(2 ** 12);
  });

  test("stay within their type, and two stay two", () => {
    fc.assert(
      fc.property(
        fc.bigInt(0n, 2n ** 63n - 1n),
        fc.bigInt(0n, 2n ** 63n - 1n),
        fc.integer(),
        (a, b, seed) => {
          const blocks = integerBlocks([63]);
          const [x, y] = [permute(a, blocks, roundsOf(seed)), permute(b, blocks, roundsOf(seed))];
          expect(x === y).toBe(a === b);
          expect(x >= 0n && x < 2n ** 63n).toBe(true);
          expect(x < 2n ** 31n).toBe(a < 2n ** 31n);
        },
      ),
    );
  });

  test("become the same in an integer as in a bigint that it refers to", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, 2n ** 31n - 1n), fc.integer(), (value, seed) => {
        const rounds = roundsOf(seed);
        expect(permute(value, integerBlocks([31]), rounds)).toBe(
          permute(value, integerBlocks([63]), rounds),
        );
      }),
    );
  });
});

test("every column can be named", () => {
  const identifier = fc
    .string({ minLength: 1, unit: "grapheme" })
    .filter((text) => text !== "*" && !text.includes("\0"));
  fc.assert(
    fc.property(identifier, identifier, identifier, (schema, name, of) => {
      const parsed = parseColumnName(columnText({ schema, table: name, column: of }));
      expect(parsed).toEqual({ schema, table: name, column: of });
    }),
  );
});

test("whatever a table, a column or a constant is called, it ends no quotes", () => {
  const word = fc.string({ minLength: 1 }).filter((text) => text !== "*" && !text.includes("\0"));
  fc.assert(
    fc.property(word, word, word, (name, of, value) => {
      const path = columnText({ schema: "public", table: name, column: of });
      const masks: Record<string, Mask> = { [path]: mask.constant(value) };
      const { plan } = planMasks(catalogue([table(1, name, [column(of)])]), {
        classify: "strict",
        columns: masks,
      });
      const [rewrite] = plan?.rewrites ?? [];
      const sql = rewrite && rewriteSql(rewrite).mask;
      const rest = sql?.replaceAll(
        / E'(?:[^'\\]|''|\\\\)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"/g,
        (quoted) => (quoted.startsWith('"') ? "<name>" : "<text>"),
      );
      expect(rest).toMatch(
        /^CREATE TEMPORARY TABLE stagecraft_masked ON COMMIT DROP AS SELECT CASE WHEN <name> IS NOT NULL THEN ?<text>::text END AS <name> FROM \(SELECT \* FROM ONLY <name>\.<name>\) AS <name>$/,
      );
    }),
  );
});
