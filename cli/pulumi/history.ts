import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { projectName } from "../project/project";
import { pulumi } from "./pulumi";
import { stateFolder } from "../project/state-folder";
import type { StackName } from "../project/stacks";

const recordSchema = z.object({
  kind: z.string(),
  result: z.string(),
  startTime: z.union([z.number().transform((seconds) => seconds * 1000), z.string()]),
  endTime: z.union([z.number().transform((seconds) => seconds * 1000), z.string()]).nullish(),
  resourceChanges: z.record(z.string(), z.number()).nullish(),
});

/** One update of a stack, as Pulumi's history keeps it. */
export interface Change {
  /** `update`, `destroy`, `refresh`, … */
  readonly kind: string;
  readonly succeeded: boolean;
  readonly at: Date;
  readonly changes: Readonly<Record<string, number>>;
}

/** How many updates without any change are looked past to find the last one that changed something. */
const depth = 20;

/** The last update that changed something or failed; `undefined` where there was none. */
export async function lastChange(folder: string, stack: StackName): Promise<Change | undefined> {
  const records = (await historyFiles(folder, stack)) ?? (await askedHistory(folder, stack));
  return records.find(({ succeeded, changes }) => !succeeded || changesAnything(changes));
}

/** Reads one entry of the history. */
export function parseChange(record: unknown): Change {
  const { kind, result, startTime, endTime, resourceChanges } = recordSchema.parse(record);
  return {
    kind,
    succeeded: result === "succeeded",
    at: new Date(endTime ?? startTime),
    changes: resourceChanges ?? {},
  };
}

function changesAnything(changes: Readonly<Record<string, number>>): boolean {
  return Object.entries(changes).some(([op, count]) => op !== "same" && count > 0);
}

/** The history in the file backend, read directly because starting Pulumi takes half a second; `undefined` with another backend. */
async function historyFiles(folder: string, stack: StackName): Promise<Change[] | undefined> {
  const state = stateFolder(folder);
  if (state === undefined) return undefined;
  const path = join(state, ".pulumi", "history", projectName(folder), stack);
  if (!existsSync(path)) return [];
  const names = (await readdir(path)).filter((name) => name.endsWith(".history.json"));
  const newest = names.sort().reverse().slice(0, depth);
  return Promise.all(
    newest.map(async (name) => parseChange(JSON.parse(await readFile(join(path, name), "utf8")))),
  );
}

async function askedHistory(folder: string, stack: StackName): Promise<Change[]> {
  const args = ["stack", "history", "--stack", stack, "--json", "--page-size", String(depth)];
  const { exitCode, stdout } = await pulumi(folder, args);
  return exitCode === 0 ? z.array(z.unknown()).parse(JSON.parse(stdout)).map(parseChange) : [];
}
