/** PostgreSQL's character sets. PostgreSQL manual, table 23.3. */
const encodings = `
  BIG5 EUC_CN EUC_JP EUC_JIS_2004 EUC_KR EUC_TW GB18030 GBK ISO_8859_5 ISO_8859_6
  ISO_8859_7 ISO_8859_8 JOHAB KOI8R KOI8U LATIN1 LATIN2 LATIN3 LATIN4 LATIN5 LATIN6 LATIN7
  LATIN8 LATIN9 LATIN10 MULE_INTERNAL SJIS SHIFT_JIS_2004 UHC UTF8 WIN866 WIN874 WIN1250
  WIN1251 WIN1252 WIN1253 WIN1254 WIN1255 WIN1256 WIN1257 WIN1258
`
  .trim()
  .split(/\s+/);

/** Aliases without hyphens and underscores, in lower case. */
const aliases: Readonly<Record<string, string>> = {
  unicode: "UTF8",
  iso88591: "LATIN1",
  iso885915: "LATIN9",
  windows1252: "WIN1252",
};

/** PostgreSQL's name of an encoding; case, hyphens and underscores are ignored, as in PostgreSQL. `undefined` if unknown. */
export function encodingName(text: string): string | undefined {
  const normalized = text.toLowerCase().replace(/[^a-z0-9]/g, "");
  return (
    encodings.find((name) => name.toLowerCase().replaceAll("_", "") === normalized) ??
    aliases[normalized]
  );
}

/** The names of all encodings. */
export const encodingNames: readonly string[] = encodings;
