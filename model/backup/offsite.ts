import { z } from "zod";
import { parseBackupId, type BackupId } from "../base/names";
import { keepSchema } from "./retention-rules";
import { recipientProblem } from "./recipient";
import { durationSchema } from "../base/units";

/** Back ends of rclone that are no place of their own, or none away from the server. */
const notAway: ReadonlySet<string> = new Set(
  "alias cache chunker combine compress crypt hasher local memory union".split(" "),
);

/** What rclone calls a place: its back end, and a path there. */
export interface Remote {
  /** E.g. `s3`, `sftp`. */
  readonly backend: string;
  /** E.g. `bucket/folder`; empty for the top. */
  readonly path: string;
}

/** Reads `s3:bucket/folder`; `undefined` when it has another form. */
export function parseRemote(text: string): Remote | undefined {
  const match = /^([a-z0-9][a-z0-9 ]*):([^\0\n]*)$/.exec(text);
  return match
    ? { backend: match[1] ?? "", path: (match[2] ?? "").replace(/\/+$/, "") }
    : undefined;
}

const remoteSchema = z.string().superRefine((text, context) => {
  const remote = parseRemote(text);
  if (!remote) {
    context.addIssue(
      "must be a back end of rclone and a path there, like sftp:backups or s3:bucket/folder",
    );
  } else if (notAway.has(remote.backend)) {
    context.addIssue("must be a place away from the server, like sftp:backups or s3:bucket/folder");
  }
});

/** A value of one of rclone's options. */
const optionSchema = z.union([z.string(), z.number(), z.boolean()]);

const optionsSchema = z
  .record(z.string(), optionSchema)
  .superRefine(
    (options, context) => {
      for (const [name, value] of Object.entries(options)) {
        const problem = optionProblem(name, value);
        // The values may be secret: with the section as their input they are not shown.
        if (problem !== undefined)
          context.addIssue({ code: "custom", message: problem, path: [name], input: options });
      }
    },
    { when: ({ value }) => isRecord(value) },
  )
  .transform((options) =>
    Object.fromEntries(Object.entries(options).map(([name, value]) => [name, String(value)])),
  );

/** Options that may have several lines. */
const longOptions: ReadonlySet<string> = new Set(["key_pem", "known_hosts"]);

function optionProblem(name: string, text: unknown): string | undefined {
  if (!/^[a-z0-9_]+$/.test(name))
    return "must be an option of rclone's back end, in its own words, like access_key_id";
  if (typeof text !== "string") {
    const isPlain = typeof text === "number" || typeof text === "boolean";
    return isPlain ? undefined : "must be text, a number, true or false";
  }
  if (/[\0\r]/.test(text) || (text.includes("\n") && !longOptions.has(name)))
    return "must be one line";
  // rclone's file of settings would take these for something else.
  if (/%\(|^[`"]/.test(text) && !longOptions.has(name))
    return 'must not begin with a quotation mark or contain "%("';
  return undefined;
}

const recipientsSchema = z
  .array(z.string())
  .min(1, "must name a public key at least; make a pair with: age-keygen -o key.txt")
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

/** How a place away from a server is named, whoever goes there. */
export const offsitePlaceShape = {
  remote: remoteSchema.meta({
    description:
      "A back end of rclone and a path there; see [Off-site copies](backups-off-site.md).",
    examples: ["sftp:backups"],
  }),
  options: optionsSchema.default({}).meta({
    description: "Options of that back end in rclone's own words; passwords and keys as secrets.",
  }),
};

/** A check of such a section: a machine that is reached by SSH has to prove who it is. */
export const requireKnownHosts: [
  (place: unknown, context: z.RefinementCtx) => void,
  { when: (payload: { value: unknown }) => boolean },
] = [
  (place, context) => {
    if (!isRecord(place)) return;
    const { remote, options } = place;
    if (typeof remote !== "string" || parseRemote(remote)?.backend !== "sftp") return;
    if (isRecord(options) && ("known_hosts" in options || "known_hosts_file" in options)) return;
    const message =
      "is missing, and without it anybody could pass for that machine; take what this prints, after comparing it with what its administrator says: ssh-keyscan <host>";
    context.addIssue({
      code: "custom",
      message,
      path: ["options", "known_hosts"],
      input: place,
    });
  },
  { when: ({ value }) => isRecord(value) },
];

/** Where backups are copied to, away from their server: the stack file's section `backups.offsite`. */
export const offsiteSettingsSchema = z
  .strictObject({
    ...offsitePlaceShape,
    recipients: recipientsSchema.meta({
      description:
        "Public keys of age or SSH; who has one of the private keys can read the copies.",
    }),
    keep: keepSchema.optional().meta({
      description: "Which copies are kept there.",
    }),
    idle: durationSchema.default("30 s").meta({
      description: "How long the place may be silent before a call of it is given up.",
    }),
    limit: durationSchema.default("12 h").meta({
      description: "How long one transfer may take, however fast it is.",
    }),
  })
  .superRefine(...requireKnownHosts);
export type OffsiteSettings = z.output<typeof offsiteSettingsSchema>;

/** What it takes to get there. */
export type OffsitePlace = Pick<OffsiteSettings, "remote" | "options"> &
  Partial<Pick<OffsiteSettings, "limit" | "idle">>;

/** The same without the values that nobody may see, and that are told from another by what is asked for and not by a digest. */
export function withoutSecrets(offsite: OffsiteSettings): unknown {
  const options = Object.entries(offsite.options).map(([name, value]) =>
    isSecretOption(name) ? [name] : [name, value],
  );
  return { ...offsite, options };
}

/** Whether the value of an option opens a door, so that it must be a secret of the stack. */
export function isSecretOption(name: string): boolean {
  return /pass|secret|token|credential|key_pem|sas_url|^(?:account_)?key$|api_key|library_key/.test(
    name,
  );
}

/** What the copy of a backup is called there, below the server's own folder. */
export function copyName(id: BackupId): string {
  return `${id}.tar.age`;
}

/** What it is called while it is uploaded and read back. */
export function partialCopyName(id: BackupId): string {
  return `${copyName(id)}.partial`;
}

/** The backup that a file there is a copy of; `undefined` for any other file, half-made copies among them. */
export function parseCopyName(name: string): BackupId | undefined {
  const id = /^([^.]+)\.tar\.age$/.exec(name)?.[1];
  return id !== undefined && parseBackupId(id) ? id : undefined;
}

/** Where the file of a server lies, as rclone writes it: `s3:bucket/folder/prod/20261121T032900Z.tar.age`. */
export function placeText(
  { remote }: Pick<OffsiteSettings, "remote">,
  server: string,
  name = "",
): string {
  const { backend, path } = parseRemote(remote) ?? { backend: remote, path: "" };
  return `${backend}:${joinPath(path, server, name)}`;
}

/** Parts of a path there; empty ones are left out. */
export function joinPath(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("/");
}

/** A file there. */
export interface RemoteFile {
  readonly name: string;
  readonly bytes: number;
}

/** A copy that is there. */
export interface Copy {
  readonly id: BackupId;
  readonly bytes: number;
}

/** Those of the files that are whole copies, oldest first. */
export function copiesAmong(files: readonly RemoteFile[]): Copy[] {
  const copies = files.flatMap(({ name, bytes }) => {
    const id = parseCopyName(name);
    return id === undefined ? [] : [{ id, bytes }];
  });
  return copies.sort((a, b) => (a.id < b.id ? -1 : 1));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
