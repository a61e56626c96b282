import { z } from "zod";
import { durationSchema, parseBytes } from "../base/units";

/** A separate user, so that the application does not own files of PostgreSQL or the agent. */
const defaultUser = 5433;

const port = z
  .int()
  .min(1, "must be a port from 1 to 65535")
  .max(65_535, "must be a port from 1 to 65535");

/** Environment variables that Stagecraft sets. */
const reservedVariables = [
  "PGHOST",
  "PGPORT",
  "PGDATABASE",
  "PGUSER",
  "PGPASSFILE",
  "PGSSLMODE",
  "PGSSLROOTCERT",
  "PORT",
];

const environmentSchema = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean()]))
  .superRefine(
    (environment, context) => {
      const fail = (name: string, message: string): void => {
        context.addIssue({ code: "custom", message, path: [name], input: environment });
      };
      for (const [name, value] of Object.entries(environment)) {
        if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
          fail(name, "must have a name of letters, digits and _ that does not start with a digit");
        } else if (reservedVariables.includes(name)) {
          fail(name, "is set by Stagecraft; remove it");
        } else if (name === "PGPASSWORD") {
          fail(
            name,
            "would be visible to anyone with access to the Docker engine; use the password in the file that PGPASSFILE names",
          );
        } else if (/[\0\n]/.test(String(value))) fail(name, "must be one line");
      }
    },
    { when: ({ value }) => typeof value === "object" && value !== null },
  );

/** The application of a server: the stack file's section `application`. */
export const applicationConfigSchema = z
  .strictObject({
    image: z
      .string()
      .regex(
        /^[\w./:@-]+$/,
        'must be the name of an image like "registry.example.com/timesheets:4.2"',
      )
      .optional()
      .meta({
        description: "Image of the application.",
      }),
    build: z.string().min(1, "must be a path").optional().meta({
      description: "Instead of `image`: a folder with a `Dockerfile` to build the image from.",
    }),
    port: port.meta({
      description: "Port of the application on 127.0.0.1.",
      examples: [18080],
    }),
    internalPort: port.default(8080).meta({
      description: "Port that the application listens on in its container, also set as `PORT`.",
    }),
    revision: z
      .string()
      .regex(/^[\w.+:/@-]{1,200}$/, "must be up to 200 letters, digits and . _ + : / @ -")
      .optional()
      .meta({
        description:
          "Revision of the code, shown in `status` and recorded in the manifests of backups; the image's name by default.",
      }),
    environment: environmentSchema.optional().meta({
      description:
        "Environment variables, a line `NAME: value` each. Visible to anyone with access to the Docker engine.",
    }),
    healthPath: z
      .string()
      .regex(/^\/[^\s#]*$/, 'must be a path like "/health"')
      .optional()
      .meta({
        description: "HTTP path that returns 2xx or 3xx when the application is healthy.",
        examples: ["/health"],
      }),
    healthCommand: z.string().min(1, "must be a command").optional().meta({
      description:
        "Instead of `healthPath`: a command in the container that exits with status 0 when the application is healthy. Without either, the image's `HEALTHCHECK` applies.",
    }),
    healthLimit: durationSchema.default("60 s").meta({
      description: "Timeout for the application to become healthy.",
    }),
    watch: durationSchema.default("2 s").meta({
      description:
        "How long the application log is watched for errors after a refresh, once the application is healthy.",
    }),
    errorPattern: z
      .string()
      .superRefine((text, context) => {
        if (!isPattern(text)) context.addIssue("must be a JavaScript regular expression");
      })
      .optional()
      .meta({
        description:
          "Regular expression that matches error lines in the application log; by default common log levels and names of errors.",
      }),
    memory: z
      .string()
      .default("512 MB")
      .superRefine((text, context) => {
        if ((parseBytes(text) ?? 0) < 2 ** 24)
          context.addIssue('must be a size like "512 MB", at least "16 MB"');
      })
      .meta({ description: "Memory limit of the application's container." }),
    user: z
      .int()
      .min(1, "must be the numeric id of a user other than root")
      .max(65_535)
      .default(defaultUser)
      .meta({
        description: "Numeric id of the user and group that the application runs as.",
      }),
  })
  .superRefine(
    (application, context) => {
      const fail = (message: string, ...path: string[]): void => {
        context.addIssue({ code: "custom", message, path, input: application });
      };
      const { image, build, healthPath, healthCommand } = application;
      if (image !== undefined && build !== undefined) {
        fail("defines two images; keep either image or build");
      } else if (image === undefined && build === undefined) {
        fail("defines no image; set image: <name>, or build: <folder with a Dockerfile>");
      }
      if (healthPath !== undefined && healthCommand !== undefined) {
        fail("conflicts with healthPath; keep either healthPath or healthCommand", "healthCommand");
      }
    },
    // Runs even if a key is unknown or a value is invalid, so that all problems are reported at once.
    { when: ({ value }) => typeof value === "object" && value !== null },
  );
export type ApplicationConfig = z.output<typeof applicationConfigSchema>;

function isPattern(text: string): boolean {
  try {
    return new RegExp(text).source !== "" && text !== "";
  } catch {
    return false;
  }
}
