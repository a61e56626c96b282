import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { StackDataSource } from "../model/backup/pinned-backups";

/**
 * Reads the data source of each stack file of a project. Throws if a file is not valid YAML, because the backup it refers
 * to is then unknown.
 */
export async function readStackDataSources(folder: string): Promise<StackDataSource[]> {
  const files = readdirSync(folder).flatMap((name) => {
    const stack = /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1];
    if (stack === undefined) return [];
    const text = readFileSync(path.join(folder, name), "utf8");
    // Stack files without a backup are not parsed.
    return text.includes("backup:") ? [{ stack, name, text }] : [];
  });
  if (files.length === 0) return [];
  const { parse } = await import("yaml");
  return files.map(({ stack, name, text }) => {
    try {
      return { stack, ...dataOf(parse(text)) };
    } catch (error) {
      const [line = ""] = (error as Error).message.split("\n");
      throw new Error(`${name} is not YAML: ${line}`, { cause: error });
    }
  });
}

function dataOf(file: unknown): Pick<StackDataSource, "from" | "backup"> {
  const data = keyOf(keyOf(file, "config"), "stagecraft:data");
  const text = (value: unknown): string | undefined =>
    typeof value === "string" ? value : undefined;
  return { from: text(keyOf(data, "from")), backup: text(keyOf(data, "backup")) };
}

function keyOf(value: unknown, key: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[key];
}
