import { z } from "zod";
import { parseBackupId } from "../names";
import { databaseNameSchema, rolesChoiceSchema } from "../protocol";
import { parseBytes } from "../units";
import { encodingName, encodingNames } from "./encodings";
import { nearest } from "./nearest";

const smallestMemory = "256 MB";

const notASize = 'must be a size like "2 GB" or "512 MB"';
const memorySchema = z.string(notASize).superRefine((text, context) => {
  const bytes = parseBytes(text);
  if (bytes === undefined) context.addIssue(notASize);
  else if (bytes < (parseBytes(smallestMemory) ?? 0)) {
    context.addIssue(`must be at least "${smallestMemory}"`);
  }
});

const encodingSchema = z.string().superRefine((text, context) => {
  if (encodingName(text) !== undefined) return;
  const meant = nearest(text, encodingNames) ?? "UTF8 or LATIN1";
  context.addIssue(`must be an encoding that PostgreSQL knows, such as ${meant}`);
});

const path = z.string().min(1, "must be a path");

/** PostgreSQL itself. */
export const postgresSchema = z.strictObject({
  version: z
    .literal(17)
    .default(17)
    .meta({ description: "PostgreSQL's major version. Only 17 so far." }),
  port: z
    .int()
    .min(1, "must be a port from 1 to 65535")
    .max(65_535, "must be a port from 1 to 65535")
    .meta({
      description: "The port on 127.0.0.1 where PostgreSQL answers.",
      examples: [15432],
    }),
  memory: memorySchema.default("1 GB").meta({
    description: "Memory of PostgreSQL's container; its cache is a quarter of it.",
  }),
});

/** The database that is looked after. */
export const databaseSchema = z.strictObject({
  name: databaseNameSchema.meta({
    description: "Name of the database, and of the role that owns it.",
    examples: ["timesheets"],
  }),
  roles: rolesChoiceSchema.default("leave out").meta({
    description: "What becomes of roles that the dump names and this server has not.",
  }),
  encoding: encodingSchema.optional().meta({
    description: "What the dump's text is encoded in, where the dump says SQL_ASCII.",
  }),
  locale: z
    .string()
    .regex(/^[\w.@-]+$/, 'must be a locale like "de_DE.UTF-8"')
    .optional()
    .meta({
      description: "Locale of the database, where the dump names none or one that is not here.",
    }),
});

/** Where the contents come from: one dump, or one backup of a folder. */
export const dataSchema = z
  .strictObject({
    dump: path.optional().meta({
      description: "A dump: a file in any format of pg_dump, or the folder that `-F d` makes.",
    }),
    from: path.optional().meta({
      description:
        "A folder of dumps named `pg_dump.<server>.<database>.<YYYYMMDD>.<hhmmss>.<ending>`.",
    }),
    backup: z
      .string()
      .refine((id) => parseBackupId(id) !== undefined, {
        error: "must be a backup id like 20261121T032900Z",
      })
      .optional()
      .meta({ description: "Which dump of that folder: its moment, as a backup id." }),
  })
  .superRefine(
    (data, context) => {
      const fail = (message: string, ...at: string[]): void => {
        context.addIssue({ code: "custom", message, path: at, input: data });
      };
      const { dump, from, backup } = data;
      if (dump !== undefined && (from !== undefined || backup !== undefined)) {
        fail("names two sources; keep either dump, or from and backup");
      } else if (dump === undefined && from === undefined && backup === undefined) {
        fail("names no source; give dump: <file>, or from: <folder> and backup: <id>");
      } else if (from !== undefined && backup === undefined) {
        fail("is missing; say which backup of the folder, e.g. backup: 20261121T032900Z", "backup");
      } else if (backup !== undefined && from === undefined) {
        fail("is missing; say which folder the backup is in, e.g. from: dumps", "from");
      }
    },
    // Also when a key is unknown or a value is wrong: all problems are told in one go.
    { when: ({ value }) => isSection(value) },
  );

/** All settings of a stack: what may stand in `Pulumi.<stack>.yaml`, under `config:` and with `stagecraft:` before it. */
export const settingsSchema = z.strictObject({
  namePrefix: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,29}$/, {
      error: "must be up to 30 small letters, digits and hyphens, beginning with a letter",
    })
    .default("stagecraft")
    .meta({
      description: "What the names of containers, volumes and networks on the engine begin with.",
    }),
  postgres: postgresSchema,
  database: databaseSchema,
  data: dataSchema,
  password: z
    .string()
    .min(8, "must have at least 8 characters")
    .regex(/^\P{Cc}*$/u, "must not contain control characters")
    .meta({ description: "Password of the role that owns the database, as a secret." }),
});
export type Settings = z.output<typeof settingsSchema>;

/** Whether a value is a section, that is lines of `key: value`. */
export function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
