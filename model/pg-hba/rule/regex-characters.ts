/** Numeric character escapes, without the backslash. PostgreSQL manual, table 9.21. */
export const numberedEscapes = "x[\\da-fA-F]+|u[\\da-fA-F]{4}|U[\\da-fA-F]{8}|c[^]|0[0-7]{0,2}";

/** A character in JavaScript's notation; `undefined` for codes above one byte, which never match. */
function notation(code: number): string | undefined {
  return code <= 0xff ? `\\x${code.toString(16).padStart(2, "0")}` : undefined;
}

/** The character of one of the {@link numberedEscapes}, in JavaScript's notation. */
export function numberedCharacter(escaped: string): string | undefined {
  const [kind] = escaped;
  const rest = escaped.slice(1);
  if (kind === "0") return notation(Number.parseInt(escaped, 8));
  // A control character has the lower five bits of the letter.
  if (kind === "c") return notation(rest.charCodeAt(0) & 0x1f);
  return notation(Number.parseInt(rest, 16));
}

/** POSIX names of characters, in the order of their codes. */
const names = `NUL SOH STX ETX EOT ENQ ACK BEL/alert BS/backspace HT/tab LF/newline VT/vertical-tab FF/form-feed
CR/carriage-return SO SI DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC IS4/FS IS3/GS IS2/RS IS1/US space exclamation-mark
quotation-mark number-sign dollar-sign percent-sign ampersand apostrophe left-parenthesis right-parenthesis asterisk plus-sign
comma hyphen/hyphen-minus period/full-stop slash/solidus zero one two three four five six seven eight nine colon semicolon
less-than-sign equals-sign greater-than-sign question-mark commercial-at`;
const afterUpperCase = `left-square-bracket backslash/reverse-solidus right-square-bracket circumflex/circumflex-accent
underscore/low-line grave-accent`;
const afterLowerCase = `left-brace/left-curly-bracket vertical-line right-brace/right-curly-bracket tilde DEL`;

const named = new Map(
  [
    [names, 0],
    [afterUpperCase, "[".charCodeAt(0)],
    [afterLowerCase, "{".charCodeAt(0)],
  ].flatMap(([list, first]) =>
    String(list)
      .split(/\s+/)
      .flatMap((all, at) => all.split("/").map((name) => [name, Number(first) + at] as const)),
  ),
);

/** The character of a collating element `[.x.]`, literal or by name, in JavaScript's notation. */
export function elementCharacter(element: string): string | undefined {
  const code = element.length === 1 ? element.charCodeAt(0) : named.get(element);
  return code === undefined ? undefined : notation(code);
}

/** Removes the ignored white space and comments from an expression in expanded syntax. */
export function withoutLayout(pattern: string): string {
  return pattern.replace(
    /(\\[^]|\[\^?\]?(?:\[[:.=].*?[:.=]\]|\\[^]|[^\]])*\])|[\t\n\v\f\r ]+|#[^\n]*/g,
    "$1",
  );
}
