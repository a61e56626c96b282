/** Escapes that name a character by its number, behind their backslash. PostgreSQL manual, table 9.21. */
export const numberedEscapes = "x[\\da-fA-F]+|u[\\da-fA-F]{4}|U[\\da-fA-F]{8}|c[^]|0[0-7]{0,2}";

/** One character in JavaScript's notation, by its number; `undefined` for one that is no byte and so never matches. */
function notation(code: number): string | undefined {
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : undefined;
}

/** What one of the {@link numberedEscapes} stands for, in JavaScript's notation. */
export function numberedCharacter(escaped: string): string | undefined {
  const [kind] = escaped;
  const rest = escaped.slice(1);
  if (kind === "0") return notation(Number.parseInt(escaped, 8));
  // The lower five bits are those of the letter.
  if (kind === "c") return notation(rest.charCodeAt(0) & 0x1f);
  return notation(Number.parseInt(rest, 16));
}

/** The names that POSIX gives to characters, in their order. */
const names = `NUL SOH STX ETX EOT ENQ ACK BEL/alert BS/backspace HT/tab LF/newline VT/vertical-tab FF/form-feed
CR/carriage-return SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC IS4/FS IS3/GS IS2/RS IS1/US space exclamation-mark
quotation-mark number-sign dollar-sign percent-sign ampersand apostrophe left-parenthesis right-parenthesis asterisk plus-sign
comma hyphen/hyphen-minus period/full-stop slash/solidus zero one two three four five six seven eight nine colon semicolon
less-than-sign equals-sign greater-than-sign question-mark commercial-at`;
const behindLetters = `left-square-bracket backslash/reverse-solidus right-square-bracket circumflex/circumflex-accent
underscore/low-line grave-accent`;
const atTheEnd = `left-brace/left-curly-bracket vertical-line right-brace/right-curly-bracket tilde DEL`;

const named = new Map(
  [
    [names, 0],
    [behindLetters, "[".charCodeAt(0)],
    [atTheEnd, "{".charCodeAt(0)],
  ].flatMap(([list, first]) =>
    String(list)
      .split(/\s+/)
      .flatMap((all, at) => all.split("/").map((name) => [name, Number(first) + at] as const)),
  ),
);

/** The character that stands between `[.` and `.]`, itself or by its name, in JavaScript's notation. */
export function elementCharacter(element: string): string | undefined {
  const code = element.length === 1 ? element.charCodeAt(0) : named.get(element);
  return code === undefined ? undefined : notation(code);
}

/** An expression in expanded syntax without the white space and the comments that do not count in it. */
export function withoutLayout(pattern: string): string {
  return pattern.replace(
    /(\\[^]|\[\^?\]?(?:\[[:.=].*?[:.=]\]|\\[^]|[^\]])*\])|[\t\n\v\f\r ]+|#[^\n]*/g,
    "$1",
  );
}
