import { z } from "zod";
import { retentionSchema } from "./retention-policy";
import { recipientProblem } from "./age-recipient";
import { durationSchema } from "../base/units";
import { parseBandwidth } from "./transfer-options";

/** rclone backends that store data on the server itself, or only wrap another remote. */
const notOffsite: ReadonlySet<string> = new Set(
  "alias cache chunker combine compress crypt hasher local memory union".split(" "),
);

/** An rclone remote: its backend and a path. */
export interface RemoteLocation {
  /** E.g. `s3`, `sftp`. */
  readonly backend: string;
  /** E.g. `bucket/folder`; empty for the root. */
  readonly path: string;
}

/** Parses `s3:bucket/folder`; `undefined` if the text has another form. */
export function parseRemote(text: string): RemoteLocation | undefined {
  const match = /^([a-z0-9][a-z0-9 ]*):([^\0\n]*)$/.exec(text);
  return match
    ? { backend: match[1] ?? "", path: (match[2] ?? "").replace(/\/+$/, "") }
    : undefined;
}

const remoteSchema = z.string().superRefine((text, context) => {
  const remote = parseRemote(text);
  if (!remote) {
    context.addIssue("must be an rclone backend and a path, like sftp:backups or s3:bucket/folder");
  } else if (notOffsite.has(remote.backend)) {
    context.addIssue("must be a remote off the server, like sftp:backups or s3:bucket/folder");
  }
});

/** Value of an rclone option. */
const optionSchema = z.union([z.string(), z.number(), z.boolean()]);

const optionsSchema = z
  .record(z.string(), optionSchema)
  .superRefine(
    (options, context) => {
      for (const [name, value] of Object.entries(options)) {
        const problem = optionProblem(name, value);
        // The values may be secret: with an object as the input, the value is not appended to the message.
        if (problem !== undefined)
          context.addIssue({ code: "custom", message: problem, path: [name], input: options });
      }
    },
    { when: ({ value }) => isRecord(value) },
  )
  .transform((options) =>
    Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)])),
  );

/** Options whose value may have several lines. */
const multilineOptions: ReadonlySet<string> = new Set(["key_pem", "known_hosts"]);

function optionProblem(name: string, text: unknown): string | undefined {
  if (!/^[a-z0-9_]+$/.test(name))
    return "must be an option of the rclone backend, spelled as in rclone's documentation, like access_key_id";
  if (typeof text !== "string") {
    const isPlain = typeof text === "number" || typeof text === "boolean";
    return isPlain ? undefined : "must be text, a number, true or false";
  }
  if (/[\0\r]/.test(text) || (text.includes("\n") && !multilineOptions.has(name)))
    return "must be one line";
  // These have a special meaning in rclone's configuration file.
  if (/%\(|^[`"]/.test(text) && !multilineOptions.has(name))
    return 'must not begin with a quotation mark or contain "%("';
  return undefined;
}

const recipientsSchema = z
  .array(z.string())
  .min(1, "must name at least one public key; create a key pair with: age-keygen -o key.txt")
  .superRefine(
    (recipients, context) => {
      recipients.forEach((recipient, index) => {
        const problem = typeof recipient === "string" ? recipientProblem(recipient) : undefined;
        if (problem !== undefined)
          context.addIssue({ code: "custom", message: problem, path: [index], input: recipients });
      });
    },
    { when: ({ value }) => Array.isArray(value) },
  );

/** The keys of a section that describe an off-site remote. */
export const offsiteRemoteShape = {
  remote: remoteSchema.meta({
    description: "An rclone backend and a path; see [Off-site copies](backups-off-site.md).",
    examples: ["sftp:backups"],
  }),
  options: optionsSchema.default({}).meta({
    description:
      "Options of that backend, spelled as in rclone's documentation; set passwords and keys as secrets.",
  }),
};

/** Arguments of `superRefine` that reject an SFTP remote without known host keys. */
export const requireKnownHosts: [
  (section: unknown, context: z.RefinementCtx) => void,
  { when: (payload: { value: unknown }) => boolean },
] = [
  (section, context) => {
    if (!isRecord(section)) return;
    const { remote, options } = section;
    if (typeof remote !== "string" || parseRemote(remote)?.backend !== "sftp") return;
    if (isRecord(options) && ("known_hosts" in options || "known_hosts_file" in options)) return;
    const message =
      "is missing, and without it another machine could impersonate that host; set it to the output of ssh-keyscan <host>, after comparing it with the host's real keys";
    context.addIssue({
      code: "custom",
      message,
      path: ["options", "known_hosts"],
      input: section,
    });
  },
  { when: ({ value }) => isRecord(value) },
];

/** Off-site copies of backups: the stack file's section `backups.offsite`. */
export const offsiteConfigSchema = z
  .strictObject({
    ...offsiteRemoteShape,
    recipients: recipientsSchema.meta({
      description: "Public keys of age or SSH; any of the private keys can decrypt the copies.",
    }),
    keep: retentionSchema.optional().meta({
      description: "Retention rules of the off-site copies.",
    }),
    idle: durationSchema.default("30 s").meta({
      description: "How long the remote may be silent before a request is aborted.",
    }),
    bandwidth: z
      .string()
      .refine((text) => (parseBandwidth(text) ?? 0) > 0, {
        error: 'must be a bandwidth like "10 MB/s"',
      })
      .optional()
      .meta({
        description: "Bandwidth of uploads and of reading them back; unlimited by default.",
        examples: ["10 MB/s"],
      }),
    limit: durationSchema.default("12 h").meta({
      description: "Time limit of one transfer, regardless of progress.",
    }),
  })
  .superRefine(...requireKnownHosts);
export type OffsiteConfig = z.output<typeof offsiteConfigSchema>;

/** What is needed to access the remote. */
export type OffsiteRemote = Pick<OffsiteConfig, "remote" | "options"> &
  Partial<Pick<OffsiteConfig, "limit" | "idle" | "bandwidth">>;

/** The section without the values of secret options, for the digest of a request. */
export function withoutSecrets(offsite: OffsiteConfig): unknown {
  const options = Object.entries(offsite.options).map(([name, value]) =>
    isSecretOption(name) ? [name] : [name, value],
  );
  return { ...offsite, options };
}

/** Whether an option contains a credential, so that its value must be a secret of the stack. */
export function isSecretOption(name: string): boolean {
  return /pass|secret|token|credential|key_pem|sas_url|^(?:account_)?key$|api_key|library_key/.test(
    name,
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
