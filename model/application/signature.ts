import { z } from "zod";

/** What a line of a log that tells of an error looks like, where a stack does not say: levels and names of errors as programs write them. */
export const defaultErrorPattern =
  '\\b(?:ERROR|FATAL|PANIC|CRITICAL|SEVERE)\\b|\\b(?:[A-Z]\\w*)?(?:Error|Exception)\\b|^Traceback \\(|"(?:level|severity)": ?(?:"(?:error|fatal|critical)"|[56]0\\b)|\\blevel=(?:error|fatal)\\b';

/** Characters of a line that are looked at. */
const longestLine = 2000;

/** Characters of a signature. */
const longestSignature = 200;

/**
 * What is left of a line of a log when everything that differs from one occurrence to the next is taken out of it: times,
 * numbers, ids, addresses and quoted values. So it tells of no person, either.
 */
export function signatureOf(line: string): string {
  const normal = differing.reduce(
    (text, [pattern, word]) => text.replace(pattern, word),
    messageOf(line.slice(0, longestLine)),
  );
  const signature = normal.replace(/\s+/g, " ").replace(/^[^\p{L}{<"'#…]+/u, "");
  return cut(signature.trim());
}

const months = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const zone = "(?: ?(?:Z|UTC|GMT|[+-]\\d\\d:?\\d\\d)\\b)?";

/** In this order: what stands above may hold what stands below. */
const differing: readonly (readonly [pattern: RegExp, word: string])[] = [
  [/\u001b\[[0-9;]*m/g, ""],
  [new RegExp(`\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d(?::\\d\\d)?(?:[.,]\\d+)?${zone}`, "g"), ""],
  [
    new RegExp(`\\d\\d[/-]${months}[/-]\\d{4}[: ]\\d\\d:\\d\\d:\\d\\d(?:[.,]\\d+)?${zone}`, "g"),
    "",
  ],
  [new RegExp(`\\b(?:\\w{3},? )?${months} +\\d{1,2} \\d\\d:\\d\\d:\\d\\d(?: \\d{4})?`, "g"), ""],
  [/"(?:[^"\\]|\\.)*"/g, '"…"'],
  [/(?<![\p{L}\p{N}])'(?:[^'\\]|\\.)*'(?![\p{L}\p{N}])/gu, "'…'"],
  [/`[^`]*`|“[^”]*”|«[^»]*»/g, "“…”"],
  [/\b[a-z][a-z0-9+.-]*:\/\/\S+/gi, "<url>"],
  [/[^\s<>"'(),;=]+@[^\s<>"'(),;]+/g, "<address>"],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, "<id>"],
  [/\b(?:0x)?(?=[a-f]*\d)[0-9a-f]{8,}\b/gi, "<id>"],
  [/\d+(?:[.,:]\d+)*/g, "#"],
];

/** The fields of a line of JSON that say what happened; any other line is its own message. */
const fields = z.object({
  level: z.union([z.string(), z.number()]).optional(),
  severity: z.string().optional(),
  msg: z.string().optional(),
  message: z.string().optional(),
  error: z.string().optional(),
  err: z.object({ type: z.string().optional(), message: z.string().optional() }).optional(),
});

function messageOf(line: string): string {
  if (!line.startsWith("{")) return line;
  const { level, severity, msg, message, error, err } = parse(line) ?? {};
  const parts = [level ?? severity, msg ?? message, error, err?.type, err?.message];
  const said = parts.filter((part) => part !== undefined);
  return said.length > 0 ? said.join(" ") : line;
}

function parse(line: string): z.infer<typeof fields> | undefined {
  try {
    return fields.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function cut(text: string): string {
  return text.length > longestSignature ? `${text.slice(0, longestSignature - 1)}…` : text;
}
