import { isIP } from "node:net";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  formatNetwork,
  parseCidr,
  parseIp,
  prefixLength,
  prefixMask,
} from "../../../../../model/pg-hba/rule/address";
import { compileRegex } from "../../../../../model/pg-hba/rule/regex";
import { splitFields } from "../../../../../model/pg-hba/rule/fields";
import { formatToken, nameToken } from "../../../../../model/pg-hba/rule/token";

describe("a regular expression of PostgreSQL", () => {
  test.each([
    ["", "anything", true],
    ["^dept\\d{2}$", "dept07", true],
    ["^dept\\d{2}$", "dept7", false],
    ["(?i)^APP$", "app", true],
    ["***:(?i)^APP$", "app", true],
    ["***=a.b", "a.b", true],
    ["***=a.b", "acb", false],
    ["(?q)a.b", "acb", false],
    ["^[[:alpha:]_]+$", "ab_c", true],
    ["^[[:alpha:]_]+$", "ab1", false],
    ["^[]a]+$", "]a]", true],
    ["^[^]a]$", "]", false],
    ["^[a\\]]+$", "a]", true],
    ["[[]", "[", true],
    ["\\mtwo\\M", "one two", true],
    ["\\mtwo\\M", "onetwo", false],
    ["\\Aapp\\Z", "app", true],
    ["\\yb", "a b", true],
    ["\\Yb", "a b", false],
    ["a\\Bb", "a\\b", true],
    ["^a(?#why)b$", "ab", true],
    ["\\s", "a b", true],
    // The second byte of à is a space of no kind here.
    ["\\s", "à", false],
    ["[[:space:]]", "à", false],
    ["\\S", "à", true],
    ["^.{2}$", "ü", true],
    ["^.$", "ü", false],
    ["\\w", "ü", false],
    ["^([a-z])\\1$", "bb", true],
    ["a||b", "x", true],
    ["^\\x61$", "a", true],
    ["^\\u0061\\U00000062$", "ab", true],
    ["^\\x161$", "a", false],
    ["^[\\x61-c]+$", "abc", true],
    ["^[[.a.]-c]+$", "abc", true],
    ["^a[[.hyphen.]]b$", "a-b", true],
    ["^[[=a=]]$", "a", true],
    ["(?x) ^ a b $ # both", "ab", true],
    ["(?x)^a\\ [ ]b$", "a  b", true],
    ["^a(?#why", "ab", true],
  ])("%j on %j: %s", (regex, name, matches) => {
    expect(compileRegex(regex)?.(name)).toBe(matches);
  });

  test.each([
    "(",
    "[a",
    "*",
    "a{2,1}",
    "\\",
    "[[:nonsense:]]",
    "[[.nope.]]",
    "***a",
    "(?b)a",
    "\\q",
  ])("%j is none, or is not understood", (regex) => {
    expect(compileRegex(regex)).toBeUndefined();
  });
});

describe("an address", () => {
  test.each([
    ["10.20.0.1", "10.20.0.1/32"],
    ["10.1", "10.0.0.1/32"],
    ["010.0.0.1", "8.0.0.1/32"],
    ["2001:DB8::1", "2001:db8::1/128"],
    ["::ffff:10.0.0.1", "::ffff:a00:1/128"],
  ])("%s is read as the system reads it: %s", (text, network) => {
    const base = parseIp(text) ?? [];
    expect(formatNetwork({ base, mask: base.map(() => 0xff) })).toBe(network);
  });

  test.each(["10.0.0.256", "1.2.3.4.5", "1.2.3.4/8", "db.example", "fd00::1::2", ":::", "", "a"])(
    "is not %j",
    (text) => {
      expect(parseIp(text)).toBeUndefined();
    },
  );

  test("is read in any notation", () => {
    const address = fc.oneof(fc.ipV4(), fc.ipV6(), fc.ipV4Extended());
    fc.assert(
      fc.property(address, (text) => parseIp(text)?.length === (isIP(text) === 6 ? 16 : 4)),
    );
  });

  test("has a mask for every prefix length", () => {
    const lengths = fc.oneof(
      fc.tuple(fc.constant(4), fc.nat(32)),
      fc.tuple(fc.constant(16), fc.nat(128)),
    );
    fc.assert(
      fc.property(lengths, ([bytes, length]) => {
        const zeros = Array<number>(bytes).fill(0);
        expect(prefixLength(prefixMask(zeros, length))).toBe(length);
      }),
    );
    expect([prefixLength([255, 0, 255, 0]), prefixLength([0, 0, 0, 1])]).toEqual([
      undefined,
      undefined,
    ]);
  });

  test.each([
    "10.0.0.0/33",
    "::/129",
    "10.0.0.0/",
    "10.0.0.0/a",
    "10.0.0.0",
    "x/8",
    "10.0.0.0/8/8",
  ])("%s is no network", (text) => {
    expect(parseCidr(text)).toBeUndefined();
  });
});

describe("a word", () => {
  const marks = [" ", "\t", ",", "#", '"', "\\", "+", "@", "/"];
  const words = ["all", "replication", "a", "ü"];
  const word = fc
    .array(fc.oneof(fc.constantFrom(...marks, ...words), fc.string({ maxLength: 2 })))
    .map((parts) => parts.join(""));

  test("comes back from its notation, between others and at the end of a line", () => {
    fc.assert(
      fc.property(word, fc.boolean(), (text, quoted) => {
        fc.pre(!/[\n\0]/.test(text) && (quoted || text !== ""));
        const written = formatToken({ text, quoted });
        const { fields, openQuote } = splitFields(`${written} x ${written}`);
        expect(openQuote).toBe(false);
        expect(fields.map((field) => field.map((token) => token.text))).toEqual([
          [text],
          ["x"],
          [text],
        ]);
        expect(written.endsWith("\\")).toBe(false);
        const [[token] = []] = fields;
        // Quotes are left out only where they change nothing.
        const matter = /^[+@]|^(?:all|sameuser|samerole|samegroup|replication|samehost|samenet)$/;
        if (matter.test(text)) expect(token?.quoted).toBe(quoted);
      }),
    );
  });

  test.each([
    ["timesheets", "timesheets"],
    ["all", '"all"'],
    ["replication", '"replication"'],
    ["+staff", '"+staff"'],
    ["@home", '"@home"'],
    ['two "words"', '"two ""words"""'],
    ["/slash.", "/^/slash\\.$"],
  ])("for just the name %s is %s", (name, written) => {
    expect(nameToken(name)).toBe(written);
  });
});
