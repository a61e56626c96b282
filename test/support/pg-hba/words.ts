import fc from "fast-check";
import { databases, memberships, names } from "./roles";

/** One of several arbitraries, by weight. */
export const weighted = <T>(
  ...choices: readonly (readonly [number, fc.Arbitrary<T>])[]
): fc.Arbitrary<T> => fc.oneof(...choices.map(([weight, arbitrary]) => ({ weight, arbitrary })));

/** One of several values. */
export const oneOf = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

/** Advanced regular expressions of PostgreSQL, each with something of its own. */
const regexes = [
  ...["", "a", "^a", "^app$", "^(app|two words)$", "(?i)^APP$", "(?i)q", "[[:upper:]]", "\\s", "/"],
  ...["^.{1,3}$", "^.{2}$", "^[^a]", "x{63}", "^x{2,}$", "^a.?$", "\\mwords\\M", "\\ywords", "\\W"],
  ...["^([a-z])\\1$", "[,#]", '"', "^[]+]", "\\\\", "^s(taff|amerole)$", "^.mlaut$", "^..mlaut$"],
  ...[
    "***=quo",
    "***:^a",
    "(?:a|b)=b",
    "a(?=pp)",
    "a(?!p)",
    "\\Aapp\\Z",
    "[\\w ]+$",
    "\\d",
    "a|^$",
  ],
  ...["^(?#comment)ab$", "^[[:alpha:][:space:]]+$", "^\\+", "(?i)ÜMLAUT", "^[ü]{2}m", "[^a-z]"],
];
const brokenRegexes = ["[a", "(", "a{2,1}", "*", "\\"];

/** Regular expressions by chance, over the letters of the names. */
const chanceRegex = fc
  .array(
    fc.tuple(
      oneOf(
        "a",
        "p",
        "x",
        ".",
        "\\w",
        "[ab]",
        "[^p]",
        "(a|p)",
        "(?:x|app)",
        "[[:lower:]]",
        "s",
        "l",
      ),
      oneOf("", "", "", "*", "+", "?", "{1,2}", "{2}", "*?", "{0,}"),
    ),
    { minLength: 1, maxLength: 4 },
  )
  .chain((parts) =>
    fc
      .tuple(oneOf("", "^"), oneOf("", "$"))
      .map(([start, end]) => `${start}${parts.flat().join("")}${end}`),
  );

/** A word in quotes, out of them where that is the same, or partly in them. */
function spelled(text: string): fc.Arbitrary<string> {
  const inQuotes = `"${text.replaceAll('"', '""')}"`;
  if (/[\s,#"]|^$/.test(text)) return fc.constant(inQuotes);
  const partly = fc.nat(text.length).map((at) => `${text.slice(0, at)}"${text.slice(at)}"`);
  return fc.oneof(fc.constant(text), fc.constant(text), fc.constant(inQuotes), partly);
}

const anyRegex = weighted(
  [60, oneOf(...regexes)],
  [40, chanceRegex],
  [1, oneOf(...brokenRegexes)],
).chain((regex) => spelled(`/${regex}`));

const anyName = (from: readonly string[]): fc.Arbitrary<string> => oneOf(...from).chain(spelled);
const nameFile = fc.constant("@names");

const databaseToken = weighted(
  [5, anyName(databases)],
  [10, fc.constant("all")],
  [4, oneOf("sameuser", "samerole", "samegroup", "replication")],
  [4, anyRegex],
  [1, nameFile],
);

const userToken = weighted(
  [5, anyName(names)],
  [12, fc.constant("all")],
  [4, anyName(Object.values(memberships).flat()).map((name) => `+${name}`)],
  [1, anyName(names).map((name) => `+${name}`)],
  [1, oneOf("+nobody", '"+staff"', "+/staff", "root", "postgres")],
  [4, anyRegex],
  [1, nameFile],
);

const list = (token: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(fc.array(token, { minLength: 1, maxLength: 4 }), oneOf(",", ", ", ",,", ",\t"))
    .map(([tokens, comma]) => tokens.join(comma));

/** The second field of a rule. */
export const databaseList = list(databaseToken);
/** The third field of a rule. */
export const userList = list(userToken);

/** Addresses that connections come from; also such as are only in a network of the machine. */
export const sources = [
  ...["127.0.0.1", "127.5.6.7", "10.20.0.5", "10.20.0.6", "10.20.0.254", "172.16.3.4"],
  ...["172.30.255.254", "192.0.2.77", "192.0.2.65", "198.51.100.1"],
  ...["::1", "2001:db8::5", "2001:db8:ffff::1", "fd00:abcd::1"],
];

const masks = {
  4: ["255.0.0.0", "255.255.255.0", "0.0.0.0", "255.0.255.0", "0.0.0.255", "255.255.255.255"],
  6: ["ffff::", "ffff:ffff:ffff:ffff::", "::", "ffff:0:ffff::", "::1"],
} as const;

const network = oneOf(...sources).chain((ip) => {
  const [bits, family] = ip.includes(":") ? ([128, 6] as const) : ([32, 4] as const);
  return fc.oneof(
    fc.nat(bits).map((length) => `${ip}/${length}`),
    oneOf(bits, bits - 1, bits - 8).map((length) => `${ip}/${length}`),
    oneOf<string>(...masks[family]).map((mask) => `${ip}   ${mask}`),
  );
});

const oddAddresses = [
  ...[
    "0.0.0.0/0",
    "::/0",
    "::0/0",
    "::ffff:10.20.0.5/128",
    "2001:DB8::/32",
    "2001:0db8:0:0::5/128",
  ],
  ...['"10.20.0.5/32"', '"all"', '"samenet"', "10.20.0.5/032"],
];
const hosts = [
  ...["alpha.example.com", "ALPHA.example.COM", ".example.com", "beta.example.com", ".org"],
  ...["localhost", "example.com", ".Alpha.example.com", "unknown.example.com"],
];
const brokenAddresses = [
  ...["10.20.0.5", "10.20.0.0/33", "10.20.0/24", "localhost/8", "::1/129", "10.20.0.5 ::"],
];

/** The fourth field of a rule that has one, and the fifth where that is a mask. */
export const address = weighted(
  [40, network],
  [30, oneOf("all", "all", "samehost", "samenet")],
  [10, oneOf(...oddAddresses)],
  [10, oneOf(...hosts)],
  [1, oneOf(...brokenAddresses)],
);
