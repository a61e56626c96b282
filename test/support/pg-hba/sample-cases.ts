import fc from "fast-check";
import { databases, names } from "./roles";
import type { HbaCase, HbaTry } from "./run-cases";
import { address, databaseList, oneOf, sources, userList, weighted } from "./words";

const method = (type: string): fc.Arbitrary<string> =>
  weighted(
    [240, fc.constant("trust")],
    [48, fc.constant("reject")],
    [80, oneOf("scram-sha-256", "md5", "password")],
    [
      24,
      type === "local"
        ? oneOf("peer", "ident", "peer map=people")
        : oneOf("ident", 'ldap ldapserver=127.0.0.1 ldapprefix="a b"', "gss"),
    ],
    [
      type === "hostssl" ? 40 : 0,
      oneOf("cert", "cert clientname=DN map=x", "trust clientcert=verify-ca"),
    ],
    [1, oneOf("scram", "cert", "peer", "bsd", "trust map=x", "gss", "oauth", "")],
  );

const gap = oneOf(" ", " ", "\t", "   ", " \t ", " \\\n ");

const rule = oneOf("local", "host", "host", "hostssl", "hostnossl", "hostgssenc", "hostnogssenc")
  .chain((type) => fc.tuple(fc.constant(type), databaseList, userList, address, method(type)))
  .chain(([type, databaseField, userField, from, how]) => {
    const words = [type, databaseField, userField, ...(type === "local" ? [] : [from]), how];
    const gaps = fc.array(gap, { minLength: words.length, maxLength: words.length });
    return fc
      .tuple(gaps, oneOf("", "", "", " ", " # comment", "#"))
      .map(([blanks, end]) => words.map((word, at) => `${blanks[at] ?? ""}${word}`).join("") + end);
  });

const line = weighted(
  [20, rule],
  [1, oneOf("", "# host all all all trust", "\t", "#\\", "host # \\")],
  [1, oneOf("include more.conf", 'include_if_exists "none.conf"', "include_dir folder")],
);

const mainFile = fc
  .tuple(
    fc.array(line, { minLength: 1, maxLength: 10 }),
    oneOf("\n", "\n", "\r\n"),
    oneOf("", "\n"),
  )
  .map(([lines, newline, end]) => lines.join(newline) + end);

const included = fc
  .array(rule, { maxLength: 3 })
  .map((rules) => rules.map((text) => `${text}\n`).join(""));

const files = fc.record({
  "pg_hba.conf": mainFile,
  "more.conf": included,
  "folder/b.conf": included,
  "folder/a.conf": included,
  "folder/.hidden.conf": fc.constant("nonsense\n"),
  names: oneOf("app, ab\n# none\n", '"two words"', "+staff\n/^a", "@more-names xx"),
  "more-names": fc.constant("all"),
});

const attempt: fc.Arbitrary<HbaTry> = fc
  .record({
    address: weighted([6, oneOf(...sources)], [1, fc.constant("")]),
    tls: fc.boolean(),
    user: oneOf(...names, "root", "postgres", "app", "App"),
    database: oneOf(...databases, "app"),
    replication: oneOf(false, false, false, false, true),
  })
  .map(({ address: from, tls, ...who }) =>
    from === "" ? { ...who, tls: false } : { ...who, tls, address: from },
  );

/** As many files, with so many connections each; the same for the same seed. */
export function sampleCases(seed: number, count: number, triesEach: number): HbaCase[] {
  const tries = fc.array(attempt, { minLength: triesEach, maxLength: triesEach });
  return fc.sample(fc.record({ files, tries }), { seed, numRuns: count });
}
