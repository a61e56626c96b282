/** Whether a byte of a text begins a letter of two bytes, the second of which may look like a backslash. */
export type BeginsPair = (byte: number) => boolean;

/**
 * Of a client encoding whose letters may end in the byte of a backslash (PostgreSQL manual, 23.3.1: those that are no
 * server encodings); `undefined` for all others.
 */
export function pairsOf(encoding: string): BeginsPair | undefined {
  const name = encoding.toUpperCase().replaceAll(/[^A-Z0-9]/g, "");
  // Half-width katakana are one byte.
  if (/^(?:SJIS|SHIFTJIS(?:2004)?|MSKANJI|WIN932|WINDOWS932)$/.test(name))
    return (byte) => (byte >= 0x81 && byte <= 0x9f) || byte >= 0xe0;
  if (
    /^(?:BIG5|WIN950|WINDOWS950|GBK|WIN936|WINDOWS936|GB18030|UHC|WIN949|WINDOWS949|JOHAB)$/.test(
      name,
    )
  )
    return (byte) => byte >= 0x81;
  return undefined;
}
