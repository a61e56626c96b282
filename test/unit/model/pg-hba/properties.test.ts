import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { accessMatrix } from "../../../../model/pg-hba/judge/access-matrix";
import { checkRule } from "../../../../model/pg-hba/rule/check";
import type { ConnectionAttempt } from "../../../../model/pg-hba/rule/connection-attempt";
import { whoCan } from "../../../../model/pg-hba/rule/evaluate";
import { findingsOf } from "../../../../model/pg-hba/judge/findings";
import { parsePgHba } from "../../../../model/pg-hba/text/parse";
import { renderPgHba, renderPgHbaFile } from "../../../../model/pg-hba/text/render";
import { connectionTypes, type PgHbaRule } from "../../../../model/pg-hba/rule/rule";

/** A word of a rule and what it means, told without any of the program's own functions. */
interface Word {
  readonly text: string;
  readonly means: (connection: ConnectionAttempt) => boolean;
}

const member = ({ user, roles = [] }: ConnectionAttempt, role: string): boolean =>
  user === role || roles.includes(role);
const ordinary = (text: string, means: Word["means"]): Word => ({
  text,
  means: (connection) => connection.replication !== true && means(connection),
});

const databaseWords: readonly Word[] = [
  ordinary("all", () => true),
  ordinary('"all"', ({ database }) => database === "all"),
  ordinary("a", ({ database }) => database === "a"),
  ordinary('"b c"', ({ database }) => database === "b c"),
  ordinary("sameuser", ({ database, user }) => database === user),
  ordinary("samerole", (connection) => member(connection, connection.database)),
  ordinary("/^.$", ({ database }) => database.length === 1),
  ordinary("+a", ({ database }) => database === "+a"),
  { text: "replication", means: ({ replication }) => replication === true },
];
const userWords: readonly Word[] = [
  { text: "all", means: () => true },
  { text: "a", means: ({ user }) => user === "a" },
  { text: '"b c"', means: ({ user }) => user === "b c" },
  { text: "+g", means: (connection) => member(connection, "g") },
  { text: '+"b c"', means: (connection) => member(connection, "b c") },
  { text: '"+g"', means: ({ user }) => user === "+g" },
  { text: "/[abc]", means: ({ user }) => /[abc]/.test(user) },
  { text: "replication", means: ({ user }) => user === "replication" },
];

const toNumber = (ip: string): number =>
  ip.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const range = (text: string, low: string, high: string): Word => ({
  text,
  means: ({ address = "" }) =>
    address.includes(".") &&
    toNumber(low) <= toNumber(address) &&
    toNumber(address) <= toNumber(high),
});
const placeWords: readonly Word[] = [
  { text: "all", means: () => true },
  range("0.0.0.0/0", "0.0.0.0", "255.255.255.255"),
  range("0.0.0.0/1", "0.0.0.0", "127.255.255.255"),
  range("128.0.0.0/1", "128.0.0.0", "255.255.255.255"),
  range("10.0.0.0/30", "10.0.0.0", "10.0.0.3"),
  range("10.0.0.0 255.255.255.254", "10.0.0.0", "10.0.0.1"),
  range("10.0.0.2/31", "10.0.0.2", "10.0.0.3"),
  range("10.0.0.1/32", "10.0.0.1", "10.0.0.1"),
  range("samehost", "10.0.0.2", "10.0.0.2"),
  range("samenet", "10.0.0.0", "10.0.0.7"),
  { text: "::/0", means: ({ address = "" }) => address.includes(":") },
  { text: "fd00::/16", means: ({ address = "" }) => address.startsWith("fd00:") },
];
const server = { interfaces: ["10.0.0.2/29"] };

const typeMeans = (
  type: string,
  { address, tls = false, gss = false }: ConnectionAttempt,
): boolean =>
  address === undefined
    ? type === "local"
    : { host: true, hostssl: tls, hostnossl: !tls, hostgssenc: gss, hostnogssenc: !gss }[type] ===
      true;

const several = (words: readonly Word[]) =>
  fc.array(fc.constantFrom(...words), { minLength: 1, maxLength: 3 });
const ruleArbitrary = fc
  .record({
    type: fc.constantFrom(...connectionTypes),
    databases: several(databaseWords),
    users: several(userWords),
    place: fc.constantFrom(...placeWords),
    method: fc.constantFrom("trust", "reject", "md5", "scram-sha-256"),
  })
  .map(({ type, databases, users, place, method }) => ({
    line: [
      type,
      databases.map(({ text }) => text).join(","),
      users.map(({ text }) => text).join(", "),
      ...(type === "local" ? [] : [place.text]),
      method,
    ].join(" "),
    means: (connection: ConnectionAttempt): boolean =>
      typeMeans(type, connection) &&
      (type === "local" || place.means(connection)) &&
      databases.some(({ means }) => means(connection)) &&
      users.some(({ means }) => means(connection)),
  }));

const names = ["a", "b c", "all", "g", "+g", "+a", "replication", "zz"];
const addresses = ["10.0.0.0", "10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.4", "10.0.0.8"];
const connectionArbitrary: fc.Arbitrary<ConnectionAttempt> = fc
  .record(
    {
      user: fc.constantFrom(...names),
      database: fc.constantFrom(...names),
      address: fc.constantFrom(...addresses, "127.0.0.1", "200.0.0.1", "fd00::1", "fd01::1"),
      replication: fc.boolean(),
      roles: fc.subarray(["g", "b c", "zz"]),
    },
    { requiredKeys: ["user", "database"] },
  )
  // A connection is encrypted in one way only.
  .chain((basics) =>
    fc.constantFrom(basics, { ...basics, tls: true, gss: false }, { ...basics, gss: true }),
  );
const rulesArbitrary = fc.array(ruleArbitrary, { maxLength: 12 });
const connectionsArbitrary = fc.array(connectionArbitrary, { minLength: 10, maxLength: 10 });

describe("for rules and connections by chance", () => {
  test("the evaluator and a naive reading of the manual agree", () => {
    fc.assert(
      fc.property(rulesArbitrary, connectionsArbitrary, (lines, connections) => {
        const { rules, problems } = parsePgHba(lines.map(({ line }) => `${line}\n`).join(""));
        expect(problems.filter(({ text }) => !/^is the same|^has no rule/.test(text))).toEqual([]);
        for (const connection of connections) {
          const decision = whoCan(rules, connection, server);
          const expected = lines.findIndex(({ means }) => means(connection));
          expect(decision.decision === "rule" ? decision.index : -1).toBe(expected);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a rule that is called unreachable never decides", () => {
    let shadowed = 0;
    fc.assert(
      fc.property(rulesArbitrary, connectionsArbitrary, (lines, connections) => {
        const { rules } = parsePgHba(lines.map(({ line }) => `${line}\n`).join(""));
        const found = findingsOf(rules, { kind: "staging", server });
        const unreachable = found.flatMap(({ kind, index }) => (kind === "shadowed" ? index : []));
        shadowed += unreachable.length;
        for (const connection of connections) {
          const decision = whoCan(rules, connection, server);
          if (decision.decision === "rule") expect(unreachable).not.toContain(decision.index);
        }
      }),
      { numRuns: 500 },
    );
    expect(shadowed).toBeGreaterThan(10);
  });

  test("the access matrix says of a network what holds for each of its addresses", () => {
    const subject = { name: "a", user: "a", database: "a" };
    const networks = [{ name: "net", address: "10.0.0.0/30" }];
    fc.assert(
      fc.property(rulesArbitrary, fc.constantFrom(...addresses, "fd00::1"), (lines, address) => {
        const { rules } = parsePgHba(lines.map(({ line }) => `${line}\n`).join(""));
        const [row] = accessMatrix(rules, { subjects: [subject], networks, server }).rows;
        const inside = /^10\.0\.0\.[0-3]$/.test(address);
        const cell = row?.cells[inside ? 0 : 1] ?? "";
        const methods = [true, false].map(
          (tls) => whoCan(rules, { user: "a", database: "a", address, tls }, server).method,
        );
        if (cell === "rejected") expect(methods).toEqual(["reject", "reject"]);
        if (!/partly|rejected/.test(cell)) expect(methods).not.toEqual(["reject", "reject"]);
        for (const method of methods) {
          if (method !== "reject") expect(cell).toContain(method.replace("-sha-256", ""));
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("reading and writing", () => {
  const blanks = [" ", "\t", "\r", "\n", "\\\n"];
  const marks = ["\\", "#", '"', '""', ",", "@", "/", "+"];
  const words = ["local", "host", "all", "peer", "include x"];
  const piece = fc.oneof(
    fc.constantFrom(...blanks, ...marks, ...words),
    fc.string({ maxLength: 3 }),
  );

  test("gives any text back, byte by byte", () => {
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        const text = pieces.join("");
        const { file, problems } = parsePgHba(text);
        expect(renderPgHbaFile(file)).toBe(text);
        for (const { line } of problems) expect(line).toBeLessThanOrEqual(text.split("\n").length);
      }),
      { numRuns: 1000 },
    );
  });

  test("gives rules back, also when they are read and written twice", () => {
    fc.assert(
      fc.property(rulesArbitrary, (lines) => {
        const plain = (text: string): readonly PgHbaRule[] =>
          parsePgHba(text).rules.map(({ file: _, line: __, ...rule }) => rule);
        const rules = plain(lines.map(({ line }) => `${line}\n`).join(""));
        expect(plain(renderPgHba(rules, ["head", ""]))).toEqual(rules);
        expect(rules.flatMap((rule) => checkRule(rule))).toEqual([]);
      }),
    );
  });

  test("gives options back, whatever is in them", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (map) => {
        fc.pre(!/[\n\0]/.test(map));
        const rule = { type: "local", databases: ["all"], users: ["all"], method: "peer" } as const;
        const [read] = parsePgHba(renderPgHba([{ ...rule, options: { map } }])).rules;
        expect(read?.options).toEqual({ map });
      }),
      // A blank that PostgreSQL does not take for one, at the end of a line.
      { examples: [["\u00a0"]] },
    );
  });
});
