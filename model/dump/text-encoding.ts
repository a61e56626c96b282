/** Decodes the bytes of a dump. */
export type DecodeText = (bytes: Buffer) => string;

/**
 * Decodes text in one of PostgreSQL's encodings (PostgreSQL manual, 23.3.1), accurate enough for names and messages. Rows
 * are never decoded.
 */
export function textDecoder(encoding: string): DecodeText {
  const label = labelOf(encoding.toUpperCase());
  if (label === undefined) return (bytes) => bytes.toString("utf8");
  const decoder = new TextDecoder(label);
  return (bytes) => decoder.decode(bytes);
}

/** Labels of the WHATWG encoding standard by PostgreSQL's names. */
const labels: Readonly<Record<string, string>> = {
  LATIN5: "iso-8859-9",
  LATIN6: "iso-8859-10",
  LATIN7: "iso-8859-13",
  LATIN8: "iso-8859-14",
  LATIN9: "iso-8859-15",
  LATIN10: "iso-8859-16",
  WIN866: "ibm866",
  KOI8R: "koi8-r",
  KOI8U: "koi8-u",
  EUC_JP: "euc-jp",
  EUC_KR: "euc-kr",
  EUC_CN: "gbk",
  UHC: "euc-kr",
  SJIS: "shift_jis",
  BIG5: "big5",
  GBK: "gbk",
  GB18030: "gb18030",
};

function labelOf(encoding: string): string | undefined {
  const latin = /^LATIN([1-4])$/.exec(encoding)?.[1];
  if (latin !== undefined) return `iso-8859-${latin}`;
  const windows = /^WIN(125\d|874)$/.exec(encoding)?.[1];
  if (windows !== undefined) return `windows-${windows}`;
  const iso = /^ISO_8859_([5-8])$/.exec(encoding)?.[1];
  if (iso !== undefined) return `iso-8859-${iso}`;
  return Object.hasOwn(labels, encoding) ? labels[encoding] : undefined;
}
