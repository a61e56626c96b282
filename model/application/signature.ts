import { z } from "zod";

/** Default pattern of error lines in an application log: common log levels and names of errors. */
export const defaultErrorPattern =
  '\\b(?:ERROR|FATAL|PANIC|CRITICAL|SEVERE)\\b|\\b(?:[A-Z]\\w*)?(?:Error|Exception)\\b|^Traceback \\(|"(?:level|severity)": ?(?:"(?:error|fatal|critical)"|[56]0\\b)|\\blevel=(?:error|fatal)\\b';

/** Maximum number of characters of a line that are read. */
const longestLine = 2000;

/** Maximum number of characters of a signature. */
const longestSignature = 200;

/**
 * The constant part of a log line, without everything that varies between occurrences: times, numbers, ids, addresses and
 * quoted values. It therefore contains no personal data.
 */
export function signatureOf(line: string): string {
  const constant = variableParts.reduce(
    (text, [pattern, word]) => text.replace(pattern, word),
    messageOf(line.slice(0, longestLine)),
  );
  const signature = constant.replace(/\s+/g, " ").replace(/^[^\p{L}{<"'#…]+/u, "");
  return truncate(signature.trim());
}

const months = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
const zone = "(?: ?(?:Z|UTC|GMT|[+-]\\d\\d:?\\d\\d)\\b)?";

/** Applied in this order: an earlier pattern may contain a later one. */
const variableParts: readonly (readonly [pattern: RegExp, word: string])[] = [
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

/** The fields of a JSON log line that contain the message. */
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
  const texts = parts.filter((part) => part !== undefined);
  return texts.length > 0 ? texts.join(" ") : line;
}

function parse(line: string): z.infer<typeof fields> | undefined {
  try {
    return fields.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

function truncate(text: string): string {
  return text.length > longestSignature ? `${text.slice(0, longestSignature - 1)}…` : text;
}
