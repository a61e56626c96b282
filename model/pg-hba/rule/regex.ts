import {
  elementCharacter,
  numberedCharacter,
  numberedEscapes,
  withoutLayout,
} from "./regex-characters";

/**
 * Compiles a regular expression of `pg_hba.conf`; `undefined` when it is invalid or one of the few that JavaScript does not
 * support. PostgreSQL manual, 9.7.3: advanced regular expressions in the C collation. They are matched byte by byte, as in
 * PostgreSQL, which does not know the database's encoding at this point.
 */
export function compileRegex(source: string): ((name: string) => boolean) | undefined {
  const { pattern, flags } = withoutDirectives(bytesOf(source));
  const translated = pattern === undefined ? undefined : translate(pattern);
  if (translated === undefined) return undefined;
  try {
    const regex = new RegExp(translated, flags);
    return (name) => regex.test(bytesOf(name));
  } catch {
    return undefined;
  }
}

/** One character per byte. */
function bytesOf(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** Evaluates and removes the leading directives: `***=`, `(?i)`. */
function withoutDirectives(source: string): { pattern: string | undefined; flags: string } {
  if (source.startsWith("***=")) return { pattern: literal(source.slice(4)), flags: "s" };
  const start = source.startsWith("***:") ? source.slice(4) : source;
  if (start.startsWith("***")) return { pattern: undefined, flags: "s" };
  const [whole = "", letters = ""] = /^\(\?([a-z]+)\)/.exec(start) ?? [];
  const rest = start.slice(whole.length);
  // Basic and extended regular expressions are not supported.
  if (/[^cimnpqstwx]/.test(letters)) return { pattern: undefined, flags: "s" };
  const flags = /i[^c]*$/.test(letters) ? "is" : "s";
  if (letters.includes("q")) return { pattern: literal(rest), flags };
  return { pattern: /x[^t]*$/.test(letters) ? withoutLayout(rest) : rest, flags };
}

function literal(text: string): string {
  return text.replace(/[^A-Za-z0-9]/g, "\\$&");
}

const space = "\\t\\n\\v\\f\\r ";

/** Escapes that JavaScript writes differently, outside brackets. */
const escapes: Readonly<Record<string, string>> = {
  A: "^",
  Z: "$",
  m: "\\b(?=\\w)",
  M: "\\b(?<=\\w)",
  y: "\\b",
  Y: "\\B",
  B: "\\\\",
  a: "\\x07",
  b: "\\x08",
  e: "\\x1b",
  // White space in the C collation.
  s: `[${space}]`,
  S: `[^${space}]`,
};

const parts = new RegExp(
  `\\\\(?<escaped>${numberedEscapes}|[^])|\\[(?<negated>\\^?)(?<set>\\]?(?:\\[[:.=].*?[:.=]\\]|\\\\[^]|[^\\]])*)\\]`,
  "g",
);
const numbered = new RegExp(`^(?:${numberedEscapes})$`);

function translate(pattern: string): string | undefined {
  const unknown: string[] = [];
  // Older names of \m and \M.
  const newer = pattern.replaceAll("[[:<:]]", "\\m").replaceAll("[[:>:]]", "\\M");
  const comments = /\(\?#[^)]*(?:\)|$)/g;
  const translated = newer.replace(comments, "").replace(parts, (...found: unknown[]) => {
    const { escaped, negated, set } = found.at(-1) as Readonly<Record<string, string | undefined>>;
    if (escaped === undefined) {
      const inside = brackets(set ?? "");
      if (inside === undefined) unknown.push(set ?? "");
      return `[${negated ?? ""}${inside ?? ""}]`;
    }
    // A character above one byte matches no name.
    if (numbered.test(escaped)) return numberedCharacter(escaped) ?? "(?!)";
    if (escaped in escapes) return escapes[escaped] ?? "";
    if (/[^\W_]/.test(escaped) && !/[dwDWfnrtv1-9]/.test(escaped)) unknown.push(escaped);
    return `\\${escaped}`;
  });
  return unknown.length === 0 && !isRejectedByPostgres(newer) ? translated : undefined;
}

const classes: Readonly<Record<string, string>> = {
  alnum: "A-Za-z0-9",
  alpha: "A-Za-z",
  blank: " \\t",
  cntrl: "\\x00-\\x1f\\x7f",
  digit: "0-9",
  graph: "!-~",
  lower: "a-z",
  print: " -~",
  punct: "!-\\/:-@\\[-`{-~",
  space,
  upper: "A-Z",
  xdigit: "0-9A-Fa-f",
  word: "\\w",
};

/** Escapes of character classes, between brackets. */
const classEscapes: Readonly<Record<string, string>> = {
  d: "\\d",
  D: "\\D",
  s: space,
  S: "\\x00-\\x08\\x0e-\\x1f!-\\xff",
  w: "\\w",
  W: "\\W",
};

const setParts = new RegExp(
  `\\[:(?<name>\\w+):\\]|\\[\\.(?<element>[^\\]]+|\\])\\.\\]|\\[=(?<like>[^\\]]+|\\])=\\]|\\\\(?<escaped>${numberedEscapes}|[^])|\\[[:.=]|[^]`,
  "g",
);

/** The contents of a bracket expression in JavaScript's notation; `undefined` when it is unsupported, or PostgreSQL rejects a range in it. */
function brackets(set: string): string | undefined {
  const found = [...set.matchAll(setParts)];
  let inside = "";
  // The possible start of a range; the end of a range is none.
  let start: string | undefined;
  let isRangeEnd = false;
  for (const [at, part] of found.entries()) {
    const next = found[at + 1];
    if (isRangeEnd) {
      isRangeEnd = false;
      continue;
    }
    if (part[0] === "-" && at > 0 && next) {
      const end = single(next);
      if (start === undefined || end === undefined) return undefined;
      isRangeEnd = true;
      inside += `-${end}`;
      start = undefined;
      continue;
    }
    start = single(part);
    const translated = start ?? several(part);
    if (translated === undefined) return undefined;
    inside += translated;
  }
  return inside;
}

/** A class of characters between brackets. */
function several({ groups }: RegExpExecArray): string | undefined {
  const { name, like, escaped } = groups ?? {};
  if (name !== undefined) return classes[name];
  return like === undefined ? classEscapes[escaped ?? ""] : elementCharacter(like);
}

/** A single character between brackets, which can start or end a range. */
function single({ 0: text, groups }: RegExpExecArray): string | undefined {
  const { name, element, like, escaped } = groups ?? {};
  if (name !== undefined || like !== undefined) return undefined;
  if (element !== undefined) return elementCharacter(element);
  if (escaped === undefined)
    return text.length === 1 ? text.replace(/[\]\[\\^-]/, "\\$&") : undefined;
  if (numbered.test(escaped)) return numberedCharacter(escaped);
  if (escaped === "B") return "\\\\";
  if (/[abe]/.test(escaped)) return escapes[escaped];
  return /[fnrtv]|[\W_]/.test(escaped) ? `\\${escaped}` : undefined;
}

/** Whether PostgreSQL rejects an expression that JavaScript accepts: bounds above 255, a missing group, quantified look-around. */
function isRejectedByPostgres(pattern: string): boolean {
  const outside = pattern.replace(parts, (part, escaped?: string) =>
    escaped !== undefined && /^[1-9]$/.test(escaped) ? part : "a",
  );
  const bounds = [...outside.matchAll(/\{(?=\d)(?:(\d+)(?:,(\d*))?\})?/g)];
  if (
    bounds.some(
      ([, least, most]) => least === undefined || Math.max(+least, Number(most ?? 0)) > 255,
    )
  )
    return true;
  const groups = outside.match(/\((?!\?)/g)?.length ?? 0;
  if ([...outside.matchAll(/\\(\d)/g)].some(([, group]) => Number(group) > groups)) return true;
  return /\(\?<?[=!][^()]*\)[*+?{]/.test(outside);
}
