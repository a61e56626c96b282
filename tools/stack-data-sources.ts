import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { StackDataSource } from "../model/backup/pinned-backups";

/**
 * Reads the data source of each stack file of a project, as far as it can be read: a wrong word in the file of one stack does
 * not stop another stack. If a file is not YAML, it counts as using each backup whose id is in it.
 */
export async function readStackDataSources(folder: string): Promise<StackDataSource[]> {
  const files = readdirSync(folder).flatMap((name) => {
    const stack = /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1];
    if (stack === undefined) return [];
    const text = readFileSync(path.join(folder, name), "utf8");
    // Stack files without a backup are not parsed.
    return text.includes("backup") ? [{ stack, text }] : [];
  });
  if (files.length === 0) return [];
  const { parse } = await import("yaml");
  return files.flatMap(({ stack, text }): StackDataSource[] => {
    let file: unknown;
    try {
      file = parse(text);
    } catch (error) {
      const [line = ""] = (error as Error).message.split("\n");
      return [{ stack, unreadable: line.replace(/:$/, ""), backups: idsIn(text) }];
    }
    return [{ stack, ...dataOf(file) }];
  });
}

function idsIn(text: string): string[] {
  return [...new Set(text.match(/\b\d{8}T\d{6}Z\b/g) ?? [])];
}

function dataOf(file: unknown): { readonly from: unknown; readonly backup: unknown } {
  const data = keyOf(keyOf(file, "config"), "stagecraft:data");
  return { from: keyOf(data, "from"), backup: keyOf(data, "backup") };
}

function keyOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
