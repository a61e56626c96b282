import { z } from "zod";
import { applicationConfigSchema } from "./application";
import { backupsConfigSchema } from "./backups";
import { hostSchema, localHost } from "../base/host";
import { preservedTablesSchema } from "./preserve";
import { maxPreviousVersions, parseBackupId, serverKinds } from "../base/names";
import { pgHbaConfigSchema } from "./pg-hba";
import { databaseNameSchema } from "../base/database-name";
import { offsiteSourceSchema } from "../restore/offsite-source";
import { rolesChoiceSchema } from "../restore/protocol";
import { checkParameters } from "../parameters/check";
import { personNameProblem } from "../roles/names";
import { passwordSchema } from "../roles/password";
import { personRoleSchema } from "../roles/people";
import { parseBytes } from "../base/units";
import { upgradesConfigSchema } from "./upgrades";
import { encodingName, encodingNames } from "./encodings";
import { nearest } from "../base/nearest";

const smallestMemory = "256 MB";
const defaultMemory = "1 GB";

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

/** Where only the host's own programs reach a server. */
const loopback = "127.0.0.1";

const path = z.string().min(1, "must be a path");

/** PostgreSQL itself. */
export const postgresSchema = z
  .strictObject({
    version: z
      .literal(17)
      .default(17)
      .meta({ description: "PostgreSQL's major version. Only 17 so far." }),
    port: z
      .int()
      .min(1, "must be a port from 1 to 65535")
      .max(65_535, "must be a port from 1 to 65535")
      .meta({
        description: "The port of `postgres.address` where PostgreSQL answers.",
        examples: [15432],
      }),
    address: z
      .union([z.ipv4(), z.ipv6()], "must be an address of the host, or 0.0.0.0 for all")
      .default(loopback)
      .meta({
        description:
          "The host's address where PostgreSQL answers; `0.0.0.0` for all. Who may connect is `pgHba`'s to say.",
      }),
    memory: memorySchema.default(defaultMemory).meta({
      description: "Memory of PostgreSQL's container; its cache is a quarter of it.",
    }),
    settings: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .meta({
        description:
          "Settings of PostgreSQL: a line `name: value` each, with the name in camelCase or as PostgreSQL writes it.",
        examples: [{ workMem: "32 MB" }],
      }),
  })
  .superRefine(
    (postgres, context) => {
      const { settings, memory } = postgres;
      if (!isSection(settings)) return;
      const bytes = parseBytes(typeof memory === "string" ? memory : defaultMemory);
      // The messages are whole sentences; with the section as their input nothing is put behind them.
      for (const { path, text } of checkParameters(settings, { version: 17, memory: bytes })
        .problems) {
        context.addIssue({
          code: "custom",
          message: text,
          path: ["settings", path],
          input: settings,
        });
      }
    },
    // Also when another value is wrong: all problems are told in one go.
    { when: ({ value }) => isSection(value) },
  );

/** The database that is looked after. */
export const databaseSchema = z.strictObject({
  name: databaseNameSchema.meta({
    description: "Name of the database, and of the role that the application logs in as.",
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
  keep: preservedTablesSchema.optional().meta({
    description:
      "Tables, or rows of them, that a refresh carries over from the contents it replaces.",
    examples: [["testers"]],
  }),
  keepPrevious: z
    .int()
    .min(0)
    .max(maxPreviousVersions, `must be at most ${maxPreviousVersions}`)
    .default(1)
    .meta({ description: "How many former copies of the database stay for a rollback, 0 to 5." }),
});

/** Where the contents come from: one dump, or one backup of a folder. */
export const dataSchema = z
  .strictObject({
    dump: path.optional().meta({
      description: "A dump: a file in any format of pg_dump, or the folder that `-F d` makes.",
    }),
    from: path.optional().meta({
      description:
        "Where backups are: `server:prod` or `volume:<name>` on the same engine, `offsite` for the off-site copies that `data.offsite` tells of, or a folder of dumps named `pg_dump.<server>.<database>.<YYYYMMDD>.<hhmmss>.<ending>`.",
    }),
    backup: z
      .string()
      .refine((id) => parseBackupId(id) !== undefined, {
        error: "must be a backup id like 20261121T032900Z",
      })
      .optional()
      .meta({ description: "Which of those backups: its moment, as a backup id." }),
    offsite: offsiteSourceSchema.optional().meta({
      description:
        "For `from: offsite`: the `remote` and `options` of `backups.offsite`, the `server` whose copies they are (`prod` unless told otherwise), and the private key that opens them as `identity`; see [Refresh staging](refresh-staging.md).",
    }),
    acceptUnverified: z.boolean().optional().meta({
      description: "Whether a backup may be used that no restore has proven yet.",
    }),
    acceptKind: z.enum(serverKinds).optional().meta({
      description:
        "For production: the kind of server, spelled out, that a backup may come from besides production itself.",
    }),
  })
  .superRefine(
    (data, context) => {
      const fail = (message: string, ...at: string[]): void => {
        context.addIssue({ code: "custom", message, path: at, input: data });
      };
      const { dump, from, backup, offsite } = data;
      if (from === "offsite" && offsite === undefined) {
        fail(
          "is missing; say where the copies lie: remote, options, server and identity",
          "offsite",
        );
      } else if (from !== "offsite" && offsite !== undefined) {
        fail("is for from: offsite alone; set that, or remove this", "offsite");
      }
      if (dump !== undefined && (from !== undefined || backup !== undefined)) {
        fail("names two sources; keep either dump, or from and backup");
      } else if (dump === undefined && from === undefined && backup === undefined) {
        fail("names no source; give dump: <file>, or from: server:prod and backup: <id>");
      } else if (from !== undefined && backup === undefined) {
        fail("is missing; say which backup, e.g. backup: 20261121T032900Z", "backup");
      } else if (backup !== undefined && from === undefined) {
        fail("is missing; say where the backup is, e.g. from: server:prod", "from");
      }
    },
    // Also when a key is unknown or a value is wrong: all problems are told in one go.
    { when: ({ value }) => isSection(value) },
  );

/** The server's certificate: our own, or one that is given. */
const tlsSchema = z.strictObject({
  names: z
    .array(z.string().min(1))
    .optional()
    .meta({
      description: "Further names and addresses that clients reach the server by.",
      examples: [["staging.example.com"]],
    }),
  certificate: path.optional().meta({
    description: "File of a certificate to use instead of our own, with its chain, as PEM.",
  }),
  key: path.optional().meta({ description: "File of its key, as PEM; it must not be in Git." }),
  ca: path.optional().meta({ description: "File of what clients check it with, as PEM." }),
});

/** Who is who. */
const peopleSchema = z.record(z.string(), personRoleSchema).superRefine(
  (people, context) => {
    for (const name of Object.keys(people)) {
      const problem = personNameProblem(name, []);
      if (problem === undefined) continue;
      context.addIssue({ code: "custom", message: `must ${problem}`, path: [name], input: name });
    }
  },
  // Also when a role is wrong: all problems are told in one go.
  { when: ({ value }) => isSection(value) },
);

/** A password for each role that logs in; people's stand under their names. */
const passwordsSchema = z
  .object({
    application: passwordSchema.meta({
      description: "Password of the application's role, which has the database's name.",
    }),
    readonly: passwordSchema.meta({
      description: "Password of `<database>_readonly`, which reads everything.",
    }),
    monitor: passwordSchema.meta({
      description: "Password of `stagecraft_monitor`, which reads statistics.",
    }),
  })
  .catchall(passwordSchema);

/** All settings of a stack: what may stand in `Pulumi.<stack>.yaml`, under `config:` and with `stagecraft:` before it. */
export const stackFileConfigSchema = z.strictObject({
  namePrefix: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,29}$/, {
      error: "must be up to 30 small letters, digits and hyphens, beginning with a letter",
    })
    .default("stagecraft")
    .meta({
      description: "What the names of containers, volumes and networks on the engine begin with.",
    }),
  host: hostSchema.default(localHost).meta({
    description: "Where the server runs: local, or another machine as `ssh://user@host[:port]`.",
    examples: ["ssh://ops@staging.example.com"],
  }),
  postgres: postgresSchema,
  database: databaseSchema,
  data: dataSchema,
  upgrades: upgradesConfigSchema.meta({
    description: "What brings data to the data model of the code.",
  }),
  pgHba: pgHbaConfigSchema.meta({
    description: "Who may connect, from where, with what.",
  }),
  tls: tlsSchema.meta({ description: "The server's certificate." }),
  people: peopleSchema.optional().meta({
    description: "Who is who: a line `name: role` for each person.",
  }),
  backups: backupsConfigSchema.meta({ description: "Backups, and when they are made." }),
  application: applicationConfigSchema.optional().meta({
    description:
      "The application that runs beside the database; see [Application](application.md).",
  }),
  passwords: passwordsSchema,
});
export type StackFileConfig = z.output<typeof stackFileConfigSchema>;

/** Whether a value is a section, that is lines of `key: value`. */
export function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
