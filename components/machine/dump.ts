import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { dumpFileProblem, dumpFolderProblem, headBytes, tailBytes } from "../../model/dump/format";
import { parseDumpName } from "../../model/names";
import type { Source } from "../../model/protocol";
import { nearest } from "../../model/settings/nearest";
import { digestOfFile, digestOfFolder } from "./digest";

/** A dump on this machine that a database can be made of. */
export interface Dump {
  /** Where it is, from the project folder or absolute. */
  readonly path: string;
  /** Whether it is a folder made with `pg_dump -F d`. */
  readonly isFolder: boolean;
  /** What it is, as the agent stamps it on the database. */
  readonly source: Source;
}

/** Looks at a dump without restoring it; the sentence that tells why it cannot be one, if so. */
export function readDump(projectFolder: string, path: string): Dump | { problem: string } {
  const place = resolve(projectFolder, path);
  if (!existsSync(place)) return { problem: notThere(path, place) };
  const isFolder = statSync(place).isDirectory();
  const problem = isFolder
    ? dumpFolderProblem(path, readdirSync(place))
    : readEnds(place, (facts) => dumpFileProblem({ name: path, ...facts }));
  if (problem !== undefined) return { problem };
  const cache = join(projectFolder, ".stagecraft", "cache");
  const sha256 = isFolder ? digestOfFolder(place, cache) : digestOfFile(place, cache);
  return { path, isFolder, source: { name: basename(place), sha256, ...origin(basename(place)) } };
}

function origin(fileName: string): Pick<Source, "backup" | "server"> {
  const name = parseDumpName(fileName);
  return name ? { backup: name.backup, server: name.server } : {};
}

function notThere(path: string, place: string): string {
  const folder = dirname(place);
  if (!existsSync(folder)) return `there is no file ${path}, nor its folder`;
  const meant = nearest(basename(place), readdirSync(folder));
  const fix = meant === undefined ? "give the path from the project folder" : `is it ${meant}?`;
  return `there is no file ${path}; ${fix}`;
}

function readEnds<T>(path: string, use: (facts: FileEnds) => T): T {
  const file = openSync(path, "r");
  try {
    const bytes = statSync(path).size;
    const tail = Math.max(0, bytes - tailBytes);
    return use({
      bytes,
      head: readAt(file, 0, headBytes),
      tail: readAt(file, tail, tailBytes),
    });
  } finally {
    closeSync(file);
  }
}

interface FileEnds {
  readonly bytes: number;
  readonly head: Buffer;
  readonly tail: Buffer;
}

function readAt(file: number, position: number, length: number): Buffer {
  const buffer = Buffer.alloc(length);
  return buffer.subarray(0, readSync(file, buffer, 0, length, position));
}
