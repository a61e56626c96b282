import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { Problem } from "../base/problem";

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

/** Name of the Pulumi project, under which its state is kept. */
export function projectName(folder: string): string {
  const document: unknown = parse(readFileSync(join(folder, "Pulumi.yaml"), "utf8"));
  return z.object({ name: z.string() }).parse(document).name;
}
