import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { projectName } from "../project/project";
import { runPulumi } from "./run-pulumi";
import { fileBackendFolder } from "../project/file-backend";
import type { StackName } from "../project/stacks";

const recordSchema = z.object({
  kind: z.string(),
  result: z.string(),
  startTime: z.union([z.number().transform((seconds) => seconds * 1000), z.string()]),
  endTime: z.union([z.number().transform((seconds) => seconds * 1000), z.string()]).nullish(),
  resourceChanges: z.record(z.string(), z.number()).nullish(),
});

/** One update of a stack in Pulumi's history. */
export interface StackChange {
  /** `update`, `destroy`, `refresh`, … */
  readonly kind: string;
  readonly succeeded: boolean;
  readonly at: Date;
  readonly changes: Readonly<Record<string, number>>;
}

/** Number of updates that are searched for the last one that changed something. */
const depth = 20;

/** The last update that changed something or failed; `undefined` if there was none. */
export async function lastChange(
  folder: string,
  stack: StackName,
): Promise<StackChange | undefined> {
  const records =
    (await historyFromFiles(folder, stack)) ?? (await historyFromPulumi(folder, stack));
  return records.find(({ succeeded, changes }) => !succeeded || changesAnything(changes));
}

/** Reads one entry of the history. */
export function parseStackChange(record: unknown): StackChange {
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

/** Reads the history of the file backend directly, because starting Pulumi takes half a second; `undefined` with another backend. */
async function historyFromFiles(
  folder: string,
  stack: StackName,
): Promise<StackChange[] | undefined> {
  const state = fileBackendFolder(folder);
  if (state === undefined) return undefined;
  const path = join(state, ".pulumi", "history", projectName(folder), stack);
  if (!existsSync(path)) return [];
  const names = (await readdir(path)).filter((name) => name.endsWith(".history.json"));
  const newest = names.sort().reverse().slice(0, depth);
  return Promise.all(
    newest.map(async (name) =>
      parseStackChange(JSON.parse(await readFile(join(path, name), "utf8"))),
    ),
  );
}

async function historyFromPulumi(folder: string, stack: StackName): Promise<StackChange[]> {
  const args = ["stack", "history", "--stack", stack, "--json", "--page-size", String(depth)];
  const { exitCode, stdout } = await runPulumi(folder, args);
  return exitCode === 0 ? z.array(z.unknown()).parse(JSON.parse(stdout)).map(parseStackChange) : [];
}
