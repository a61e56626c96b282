import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { parse } from "yaml";
import { z } from "zod";
import { Rejection } from "../base/problem";

/** The project folder: the nearest Stagecraft project at or above `from`, else `home`. Raises a {@link Rejection} if neither is one. */
export function findProject(from: string, home: string): string {
  for (let folder = resolve(from); ; folder = dirname(folder)) {
    if (isProject(folder)) return folder;
    if (folder === dirname(folder)) break;
  }
  if (isProject(home)) return home;
  throw new Rejection(
    `no Stagecraft project in ${from} or its parent folders`,
    "change to the folder that contains Pulumi.yaml and stacks/",
  );
}

function isProject(folder: string): boolean {
  return existsSync(join(folder, "Pulumi.yaml")) && existsSync(join(folder, "stacks"));
}

/** Name of the Pulumi project; its state is stored under this name. */
export function projectName(folder: string): string {
  const document: unknown = parse(readFileSync(join(folder, "Pulumi.yaml"), "utf8"));
  const project = z.object({ name: z.string() }).safeParse(document);
  if (project.success) return project.data.name;
  throw new Rejection("Pulumi.yaml has no name", "git checkout Pulumi.yaml");
}
