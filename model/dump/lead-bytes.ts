/** Whether a byte is the first of a two-byte character, whose second byte can equal a backslash. */
export type IsLeadByte = (byte: number) => boolean;

/**
 * The test for lead bytes of a client encoding in which the second byte of a character can equal a backslash (PostgreSQL
 * manual, 23.3.1: those that are not server encodings); `undefined` for all others.
 */
export function leadByteTest(encoding: string): IsLeadByte | undefined {
  const name = encoding.toUpperCase().replaceAll(/[^A-Z0-9]/g, "");
  // 0xa0 to 0xdf are half-width katakana, which have one byte.
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
