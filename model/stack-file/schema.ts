import { z } from "zod";
import { applicationConfigSchema } from "./application";
import { acceptedDigestSchema, publicKeySchema } from "../backup/signature";
import { backupIdSchema } from "../backup/backup-id";
import { backupsConfigSchema } from "./backups";
import { hostSchema, localHost } from "../base/host";
import { preservedTablesSchema } from "./preserve";
import { maxPreviousVersions, parseBackupId, serverKinds } from "../base/names";
import { pgHbaConfigSchema } from "./pg-hba";
import { databaseNameSchema } from "../base/database-name";
import { offsiteSourceSchema } from "../restore/offsite-source";
import { rolesChoiceSchema, unreachableViewsSchema } from "../restore/protocol";
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
  const suggestion = nearest(text, encodingNames) ?? "UTF8 or LATIN1";
  context.addIssue(`must be one of PostgreSQL's encodings, such as ${suggestion}`);
});

/** The address that only programs on the host can reach. */
const loopback = "127.0.0.1";

const path = z.string().min(1, "must be a path");

/** The section `postgres`. */
export const postgresSchema = z
  .strictObject({
    version: z
      .literal(17)
      .default(17)
      .meta({ description: "Major version of PostgreSQL. Only 17 is supported." }),
    port: z
      .int()
      .min(1, "must be a port from 1 to 65535")
      .max(65_535, "must be a port from 1 to 65535")
      .meta({
        description: "Port that PostgreSQL listens on at `postgres.address`.",
        examples: [15432],
      }),
    address: z
      .union([z.ipv4(), z.ipv6()], "must be an address of the host, or 0.0.0.0 for all")
      .default(loopback)
      .meta({
        description:
          "Address of the host that PostgreSQL listens on; `0.0.0.0` for all. `pgHba` determines who may connect.",
      }),
    memory: memorySchema.default(defaultMemory).meta({
      description:
        "Memory of PostgreSQL's container; a quarter of it is used for `shared_buffers`.",
    }),
    settings: z
      .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
      .optional()
      .meta({
        description:
          "PostgreSQL parameters: a line `name: value` each, with the name in camelCase or as in PostgreSQL.",
        examples: [{ workMem: "32 MB" }],
      }),
  })
  .superRefine(
    (postgres, context) => {
      const { settings, memory } = postgres;
      if (!isSection(settings)) return;
      const bytes = parseBytes(typeof memory === "string" ? memory : defaultMemory);
      // The messages are complete; with an object as their input, the value is not appended.
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
    // Runs even if another value is invalid, so that all problems are reported at once.
    { when: ({ value }) => isSection(value) },
  );

/** The managed database. */
export const databaseSchema = z.strictObject({
  name: databaseNameSchema.meta({
    description: "Name of the database, and of the application's login role.",
    examples: ["timesheets"],
  }),
  roles: rolesChoiceSchema.default("leave out").meta({
    description: "What to do about roles that the dump names and this server lacks.",
  }),
  encoding: encodingSchema.optional().meta({
    description: "Encoding of the dump's text, if the dump declares SQL_ASCII.",
  }),
  locale: z
    .string()
    .regex(/^[\w.@-]+$/, 'must be a locale like "de_DE.UTF-8"')
    .optional()
    .meta({
      description: "Locale of the database, if the dump names none, or one that this server lacks.",
    }),
  unreachableViews: unreachableViewsSchema.optional().meta({
    description:
      "What to do about materialized views of foreign servers that cannot be reached: `fail`, or `leave empty`.",
  }),
  keep: preservedTablesSchema.optional().meta({
    description: "Tables, or rows of them, that a refresh preserves from the database it replaces.",
    examples: [["testers"]],
  }),
  keepPrevious: z
    .int()
    .min(0)
    .max(maxPreviousVersions, `must be at most ${maxPreviousVersions}`)
    .default(1)
    .meta({
      description: "Number of previous versions of the database to keep for a rollback, 0 to 5.",
    }),
});

/** The source of the contents: a dump, or a backup. */
export const dataSchema = z
  .strictObject({
    dump: path.optional().meta({
      description:
        "A dump: a file in any format of pg_dump, or a folder created by `pg_dump -F d`.",
    }),
    database: z.string().min(1, "must be the name of a database").optional().meta({
      description:
        "The database to restore from a dump of a whole cluster (`pg_dumpall`), which has several.",
    }),
    from: path.optional().meta({
      description:
        "Origin of backups: `server:prod` or `volume:<name>` on the same engine, `offsite` for the off-site copies of `data.offsite`, or a folder of dumps named `pg_dump.<server>.<database>.<YYYYMMDD>.<hhmmss>.<ending>`.",
    }),
    backup: z
      .string()
      .refine((id) => parseBackupId(id) !== undefined, {
        error: "must be a backup id like 20261121T032900Z",
      })
      .optional()
      .meta({ description: "Id of the backup to restore." }),
    offsite: offsiteSourceSchema.optional().meta({
      description:
        "For `from: offsite`: the `remote` and `options` of `backups.offsite`, the `server` whose copies they are (`prod` by default), and as `identity` the private key that decrypts them; see [Refresh staging](refresh-staging.md).",
    }),
    acceptUnverified: z.boolean().optional().meta({
      description: "Whether an unverified backup may be used.",
    }),
    signedBy: publicKeySchema.optional().meta({
      description:
        "Public key of the server that made the backup, as `npx stagecraft status` shows it. By default the key of its first signed backup that is restored here.",
    }),
    accept: acceptedDigestSchema.optional().meta({
      description:
        "Accepts a backup whose signature is missing or wrong, by the digest of its manifest, which the error names.",
    }),
    acceptKind: z.enum(serverKinds).optional().meta({
      description:
        "For production: another kind of server whose backups may be used, named explicitly.",
    }),
    acceptSchemaOnly: z.boolean().optional().meta({
      description:
        "For production: whether a dump that has tables and no rows (`pg_dump --schema-only`) may be used.",
    }),
    acceptOlder: backupIdSchema.optional().meta({
      description:
        "For production: its missing database may be restored from contents older than its backups, up to the backup of this id; see [Recover production](recover.md).",
    }),
  })
  .superRefine(
    (data, context) => {
      const fail = (message: string, ...at: string[]): void => {
        context.addIssue({ code: "custom", message, path: at, input: data });
      };
      const { dump, from, backup, offsite } = data;
      if (data.database !== undefined && dump === undefined) {
        fail("is for the dump of a whole cluster; set dump: <file>, or remove it", "database");
      }
      if (from === "offsite" && offsite === undefined) {
        fail("is missing; set remote, options, server and identity of the copies", "offsite");
      } else if (from !== "offsite" && offsite !== undefined) {
        fail("requires from: offsite; set that, or remove this section", "offsite");
      }
      if (dump !== undefined && (from !== undefined || backup !== undefined)) {
        fail("defines two sources; keep either dump, or from and backup");
      } else if (dump === undefined && from === undefined && backup === undefined) {
        fail("defines no source; set dump: <file>, or from: server:prod and backup: <id>");
      } else if (from !== undefined && backup === undefined) {
        fail("is missing; set the backup to restore, e.g. backup: 20261121T032900Z", "backup");
      } else if (backup !== undefined && from === undefined) {
        fail("is missing; set the origin of the backup, e.g. from: server:prod", "from");
      }
    },
    // Runs even if a key is unknown or a value is invalid, so that all problems are reported at once.
    { when: ({ value }) => isSection(value) },
  );

/** The server certificate: issued by Stagecraft, or provided by the user. */
const tlsSchema = z.strictObject({
  names: z
    .array(z.string().min(1))
    .optional()
    .meta({
      description: "Additional host names and addresses that clients use for the server.",
      examples: [["staging.example.com"]],
    }),
  certificate: path.optional().meta({
    description: "PEM file of a certificate with its chain, to use instead of Stagecraft's own.",
  }),
  key: path
    .optional()
    .meta({ description: "PEM file of the certificate's private key; it must not be in Git." }),
  ca: path
    .optional()
    .meta({ description: "PEM file of the CA certificate that clients verify it with." }),
  clientCa: path.optional().meta({
    description:
      "PEM file of the CA certificates that PostgreSQL verifies client certificates with, for rules with `cert` or `clientcert`.",
  }),
});

/** The section `people`: users and their team roles. */
const peopleSchema = z.record(z.string(), personRoleSchema).superRefine(
  (people, context) => {
    for (const name of Object.keys(people)) {
      const problem = personNameProblem(name, []);
      if (problem === undefined) continue;
      context.addIssue({ code: "custom", message: `must ${problem}`, path: [name], input: name });
    }
  },
  // Runs even if a role is invalid, so that all problems are reported at once.
  { when: ({ value }) => isSection(value) },
);

/** A password for each login role; those of users by user name. */
const passwordsSchema = z
  .object({
    application: passwordSchema.meta({
      description: "Password of the application's role, which has the name of the database.",
    }),
    readonly: passwordSchema.meta({
      description: "Password of the read-only role `<database>_readonly`.",
    }),
    monitor: passwordSchema.meta({
      description: "Password of `stagecraft_monitor`, which reads statistics.",
    }),
  })
  .catchall(passwordSchema);

/** The stack file: the keys of `Pulumi.<stack>.yaml` under `config:`, which have the prefix `stagecraft:`. */
export const stackFileConfigSchema = z.strictObject({
  namePrefix: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,29}$/, {
      error: "must be up to 30 lowercase letters, digits and hyphens, starting with a letter",
    })
    .default("stagecraft")
    .meta({
      description: "Prefix of the names of containers, volumes and networks on the engine.",
    }),
  host: hostSchema.default(localHost).meta({
    description:
      "Machine that the server runs on: `local`, or another machine as `ssh://user@host[:port]`.",
    examples: ["ssh://ops@staging.example.com"],
  }),
  postgres: postgresSchema,
  database: databaseSchema,
  data: dataSchema,
  upgrades: upgradesConfigSchema.meta({
    description: "Upgrade scripts (migrations) that adapt the data to the code.",
  }),
  pgHba: pgHbaConfigSchema.meta({
    description: "Access rules: who may connect from where, and how.",
  }),
  tls: tlsSchema.meta({ description: "The server certificate." }),
  people: peopleSchema.optional().meta({
    description: "Users and their team roles: a line `name: role` for each user.",
  }),
  backups: backupsConfigSchema.meta({ description: "Backups and their schedule." }),
  application: applicationConfigSchema.optional().meta({
    description: "The application that uses the database; see [Application](application.md).",
  }),
  passwords: passwordsSchema,
});
export type StackFileConfig = z.output<typeof stackFileConfigSchema>;

/** Whether a value is a section: lines of `key: value`. */
export function isSection(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
