import { beforeAll, describe, expect, test } from "vitest";
import { compileRegex } from "../../model/pg-hba/rule/regex";
import { rolesSql } from "../support/pg-hba/roles";
import { runHbaCases, type HbaOutcome } from "../support/pg-hba/run-cases";

const users = ["app", "a", "ab", "xx", "App", "two words", "ümlaut", "a=b", '"', "back\\slash"];

/** Each has something of its own; among them many that PostgreSQL refuses. */
const regexes = [
  ...["^a", "a$", "^^a", "a$$", "^*", "^+a", "$^", "|a", "a|", "||", "(|a)", "a||b", "a|*b", "()"],
  ...[
    "a*",
    "a**",
    "a+?",
    "a??",
    "+a",
    "?a",
    "*a",
    "(*a)",
    "(+)",
    "a(*)",
    "(?:)",
    "(?:a",
    "(a",
    "a)",
  ],
  ...[
    "a{0}",
    "a{,3}",
    "a{x}",
    "a{2",
    "x{1",
    "x{2}",
    "x{256}",
    "x{2,300}",
    "a{1,2}?",
    "a{1}{2}",
    "{",
    "}",
  ],
  ...[
    "(a)\\1",
    "(a|b)\\1",
    "\\1",
    "(a)(b)\\2",
    "(?=a)b",
    "(?<=a)b",
    "(?<!a)b",
    "(?=a)*",
    "(?=a",
    "(?",
  ],
  ...[
    "[a-]",
    "[]-a]",
    "[^]]",
    "[--a]",
    "[a-a]",
    "[,-.]",
    "[z-a]",
    "[a-b-c]",
    "[\\d-x]",
    "[\\w-]",
    "[a",
    "]",
  ],
  ...[
    "[\\]a]",
    "[a\\-z]",
    "[^\\W]",
    "[\\B]",
    "[ü]",
    "[^ü]m",
    "[[:word:]]",
    "[a[:digit:]b]",
    "[[:nope:]]",
  ],
  ...[
    "[[:alpha:]-z]",
    "[[:alpha:]-]",
    "[[:<:]]a",
    "[[:>:]]",
    "\\ma",
    "b\\M",
    "\\y",
    "\\Yb",
    "\\Y",
    "\\<a",
  ],
  ...[
    "\\d+",
    "\\w\\W",
    "\\D\\S\\W",
    "\\Aa",
    "a\\Z",
    "\\b",
    "\\B",
    "\\e",
    "\\v",
    "\\.",
    "\\-",
    "\\/",
    "\\_",
  ],
  ...[
    "\\",
    "\\g",
    "\\h",
    "\\k",
    "\\N",
    "ü",
    "(?i)Ü",
    "(?i)[A]B",
    "(?c)A",
    "(?q)a+",
    "(?s)a",
    "(?t)a b",
  ],
  ...[
    "\\x61$",
    "\\xfc",
    "\\xc3",
    "\\x161",
    "\\xg",
    "\\u0061b",
    "\\u61",
    "\\U00000061",
    "\\U0001F600",
  ],
  ...["\\cA", "\\0", "\\012", "\\0141", "[\\x61]", "[\\x61-\\x62]+$", "[\\012a]$"],
  ...[
    "[[.hyphen.]]",
    "[[.a.]]",
    "[[.a.]-b]+$",
    "[[.nope.]]",
    "[[.].]]",
    "[[=a=]]",
    "[[=a=]-b]",
    "[[=x=]]",
  ],
  ...[
    "[[.space.]]",
    "[[.equals-sign.]]",
    "[[.backslash.]]",
    "[[.tilde.]-]",
    "[[.ab.]]",
    "a[[.-.]-z]",
  ],
  ...[
    "(?x)a b",
    "(?x)^ a $ # one",
    "(?x)two\\ words",
    "(?x)two[ ]words",
    "(?xt)a b",
    "(?x)a #",
    "(?#x",
  ],
  ...["(?n)a.b", "(?p)a", "(?w)^b$", "(?z)a", "(?i", "***:(?i)AB", "***=a.", "***x", "***=a"],
];

/** PostgreSQL reads them; the model does not, and calls them an error to be on the safe side. */
const notUnderstood = ["(?b)a", "(?e)a+", "\\141b", "[\\u0161]"];

const all = [...regexes, ...notUnderstood];

let outcomes: readonly HbaOutcome[];
beforeAll(async () => {
  const cases = all.map((regex) => ({
    files: { "pg_hba.conf": `local all "/${regex.replaceAll('"', '""')}" trust\n` },
    tries: users.map((user) => ({ user, database: "a", tls: false, replication: false })),
  }));
  ({ outcomes } = await runHbaCases({ setup: rolesSql, cases }));
});

/** The users that PostgreSQL lets in by a regular expression; its complaint when it refuses it. */
function letIn(index: number): readonly string[] | string {
  const { rows = [], answers = [] } = outcomes[index] ?? {};
  const [row] = rows;
  if (row?.error !== null) return row?.error ?? "no row";
  return users.filter((_, at) => answers[at]?.answer.kind === "accepted");
}

describe("a regular expression", () => {
  test.each(regexes.map((regex, index) => [regex, index] as const))(
    "means the same to the model and to PostgreSQL: %s",
    (regex, index) => {
      const matches = compileRegex(regex);
      const postgres = letIn(index);
      if (matches) expect(users.filter(matches)).toEqual(postgres);
      else expect(postgres).toMatch(/^invalid regular expression/);
    },
  );

  test.each(notUnderstood.map((regex, index) => [regex, index] as const))(
    "that is beyond the model is an error there: %s",
    (regex, index) => {
      expect(compileRegex(regex)).toBeUndefined();
      expect(letIn(regexes.length + index)).toBeInstanceOf(Array);
    },
  );
});
