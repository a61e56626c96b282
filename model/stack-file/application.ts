import { z } from "zod";
import { durationSchema, parseBytes } from "../base/units";

/** A user of its own, so that it owns nothing of what PostgreSQL and the agent have. */
const defaultUser = 5433;

const port = z
  .int()
  .min(1, "must be a port from 1 to 65535")
  .max(65_535, "must be a port from 1 to 65535");

/** What the application finds in its environment whatever the stack says. */
const givenVariables = [
  ...["PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGPASSFILE", "PGSSLMODE", "PGSSLROOTCERT"],
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
          fail(name, "must be called by letters, digits and _, not beginning with a digit");
        } else if (givenVariables.includes(name)) {
          fail(name, "is set by Stagecraft, to where the server's database is; leave it out");
        } else if (name === "PGPASSWORD") {
          fail(name, "is for everybody to read; the password is in the file that PGPASSFILE names");
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
        description: "The image it runs from.",
      }),
    build: z.string().min(1, "must be a path").optional().meta({
      description: "Instead of it: a folder with a `Dockerfile` that the image is built from.",
    }),
    port: port.meta({
      description: "The port on 127.0.0.1 where it answers.",
      examples: [18080],
    }),
    internalPort: port.default(8080).meta({
      description: "The port where it listens in its container; it finds it as `PORT`.",
    }),
    revision: z
      .string()
      .regex(/^[\w.+:/@-]{1,200}$/, "must be up to 200 letters, digits and . _ + : / @ -")
      .optional()
      .meta({
        description:
          "Which revision of the code that is, for people and for the manifests of backups; else the image's name.",
      }),
    environment: environmentSchema.optional().meta({
      description:
        "Variables of its environment, a line `NAME: value` each. Everybody who may ask the engine can read them.",
    }),
    healthPath: z
      .string()
      .regex(/^\/[^\s#]*$/, 'must be a path like "/health"')
      .optional()
      .meta({
        description: "What it answers with a status from 200 to 399 when it is well.",
        examples: ["/health"],
      }),
    healthCommand: z.string().min(1, "must be a command").optional().meta({
      description:
        "Instead of it: a command in its container that ends with 0 when it is well. Without either, what the image says.",
    }),
    healthLimit: durationSchema.default("60 s").meta({
      description: "How long it may take to become well.",
    }),
    watch: durationSchema.default("2 s").meta({
      description: "How long its log is watched for errors after a refresh, once it is well.",
    }),
    errorPattern: z
      .string()
      .superRefine((text, context) => {
        if (!isPattern(text))
          context.addIssue("must be a regular expression as JavaScript has them");
      })
      .optional()
      .meta({
        description:
          "What a line of its log that tells of an error looks like, as a regular expression; else levels and names of errors as programs usually write them.",
      }),
    memory: z
      .string()
      .default("512 MB")
      .superRefine((text, context) => {
        if ((parseBytes(text) ?? 0) < 2 ** 24)
          context.addIssue('must be a size like "512 MB", at least "16 MB"');
      })
      .meta({ description: "Memory of its container." }),
    user: z
      .int()
      .min(1, "must be the number of a user other than root")
      .max(65_535)
      .default(defaultUser)
      .meta({
        description: "The number of the user and group it runs as.",
      }),
  })
  .superRefine(
    (application, context) => {
      const fail = (message: string, ...path: string[]): void => {
        context.addIssue({ code: "custom", message, path, input: application });
      };
      const { image, build, healthPath, healthCommand } = application;
      if (image !== undefined && build !== undefined) {
        fail("names two images; keep either image or build");
      } else if (image === undefined && build === undefined) {
        fail("names no image; give image: <name>, or build: <folder with a Dockerfile>");
      }
      if (healthPath !== undefined && healthCommand !== undefined) {
        fail("is one of two; keep either healthPath or healthCommand", "healthCommand");
      }
    },
    // Also when a key is unknown or a value is wrong: all problems are told in one go.
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
