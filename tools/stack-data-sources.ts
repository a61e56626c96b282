import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import type { StackDataSource } from "../model/backup/pinned-backups";

/**
 * What each stack file of a project says about the backup its data is from. Throws for one that is no YAML: nobody
 * knows what it names.
 */
export async function readStackDataSources(folder: string): Promise<StackDataSource[]> {
  const files = readdirSync(folder).flatMap((name) => {
    const stack = /^Pulumi\.(.+)\.yaml$/.exec(name)?.[1];
    if (stack === undefined) return [];
    const text = readFileSync(path.join(folder, name), "utf8");
    // Most name none, and are not parsed.
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
