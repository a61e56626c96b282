import { z } from "zod";

/** A password: at least 8 characters, no control characters. */
export const passwordSchema = z
  .string()
  .min(8, "must have at least 8 characters")
  .regex(/^\P{Cc}*$/u, "must not contain control characters")
  .refine((password) => !isAmbiguous(password), {
    error:
      "mixes characters that have several encodings (such as ½, ﬁ or a variation selector) with recent or right-to-left ones, which clients normalize differently; leave one kind out",
  });

/**
 * Normalizes a password for its SCRAM verifier: SASLprep (RFC 4013), as implemented by libpq.
 * libpq uses a password that SASLprep prohibits unchanged; such a password either equals its normalized form or is
 * ambiguous, and then {@link passwordSchema} rejects it.
 */
export function preparedPassword(password: string): string {
  return password.replace(spaces, " ").replace(invisibles, "").normalize("NFKC");
}

/** RFC 3454, table C.1.2. */
const spaces = /[\u{a0}\u{1680}\u{2000}-\u{200b}\u{202f}\u{205f}\u{3000}]/gu;

/** RFC 3454, table B.1, mapped to nothing. */
const invisibles =
  /[\u{ad}\u{34f}\u{1806}\u{180b}-\u{180d}\u{200c}\u{200d}\u{2060}\u{fe00}-\u{fe0f}\u{feff}]/gu;

/** Characters that SASLprep always allows: left-to-right or neutral, and part of Unicode 3.2. */
const surelyAllowed =
  /^[ -~\u{a0}-\u{21f}\u{250}-\u{2ad}\u{300}-\u{33f}\u{391}-\u{3a1}\u{3a3}-\u{3ce}\u{400}-\u{481}\u{1e00}-\u{1e9b}\u{2000}-\u{200d}\u{2010}-\u{2027}\u{202f}-\u{2052}\u{205f}\u{2060}\u{2070}\u{2074}-\u{208e}\u{20a0}-\u{20b1}\u{2100}-\u{213a}\u{2153}-\u{2183}\u{2190}-\u{23ce}\u{2460}-\u{24fe}\u{2500}-\u{2613}\u{2764}\u{3000}-\u{303f}\u{3041}-\u{3096}\u{30a1}-\u{30ff}\u{4e00}-\u{9fa5}\u{ac00}-\u{d7a3}\u{fb00}-\u{fb06}\u{fe0f}\u{ff01}-\u{ff5e}\u{ffe0}-\u{ffe6}]*$/u;

function isAmbiguous(password: string): boolean {
  return preparedPassword(password) !== password && !surelyAllowed.test(password);
}
