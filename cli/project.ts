import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { Problem } from "./problem";
import { engineNames, type EngineNames, type StackName } from "./stacks";

/** The project folder: the nearest one upwards of `from` that is a Stagecraft project, else the one this program is in. */
export function findProject(from: string, home: string): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (isProject(folder)) return folder;
    if (folder === dirname(folder)) break;
  }
  if (isProject(home)) return home;
  throw new Problem(
    `there is no Stagecraft project in ${from} or above it`,
    "go to the folder that has Pulumi.yaml and stacks/",
  );
}

function isProject(folder: string): boolean {
  return existsSync(join(folder, "Pulumi.yaml")) && existsSync(join(folder, "stacks"));
}

/** What the operator's verbs need to know of a `Pulumi.<stack>.yaml`; the components check the rest. */
export interface StackFile {
  readonly path: string;
  readonly namePrefix: string;
  readonly names: EngineNames;
  /** The database, and the role that owns it. */
  readonly database: string | undefined;
  readonly port: number | undefined;
  readonly hasPassword: boolean;
}

const stackFileSchema = z.object({
  config: z
    .object({
      "stagecraft:namePrefix": z.string().default("stagecraft"),
      "stagecraft:database": z.object({ name: z.string() }).partial().optional(),
      "stagecraft:postgres": z.object({ port: z.number() }).partial().optional(),
      "stagecraft:password": z.unknown().optional(),
    })
    .prefault({}),
});

/** Reads `Pulumi.<stack>.yaml`; raises a {@link Problem} when it is not there or cannot be read. */
export function readStackFile(folder: string, stack: StackName): StackFile {
  const path = join(folder, `Pulumi.${stack}.yaml`);
  const text = readIfThere(path);
  if (text === undefined) {
    throw new Problem(`Pulumi.${stack}.yaml is not there`, `git checkout Pulumi.${stack}.yaml`);
  }
  const settings = parseStackFile(`Pulumi.${stack}.yaml`, text).config;
  const prefix = settings["stagecraft:namePrefix"];
  return {
    path,
    namePrefix: prefix,
    names: engineNames(prefix, stack),
    database: settings["stagecraft:database"]?.name,
    port: settings["stagecraft:postgres"]?.port,
    hasPassword: settings["stagecraft:password"] !== undefined,
  };
}

function parseStackFile(name: string, text: string): z.infer<typeof stackFileSchema> {
  let document: unknown;
  try {
    document = parse(text);
  } catch (error) {
    const [firstLine = ""] = (error as Error).message.split("\n");
    throw new Problem(`${name} is not YAML: ${firstLine}`);
  }
  const file = stackFileSchema.safeParse(document ?? {});
  if (file.success) return file.data;
  throw new Problem(`${name} is not as it should be:\n${z.prettifyError(file.error)}`);
}

function readIfThere(path: string): string | undefined {
  return existsSync(path) ? readFileSync(path, "utf8") : undefined;
}

/** Name of the Pulumi project, under which its state is kept. */
export function projectName(folder: string): string {
  const document: unknown = parse(readFileSync(join(folder, "Pulumi.yaml"), "utf8"));
  return z.object({ name: z.string() }).parse(document).name;
}
