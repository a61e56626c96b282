import { splitFields } from "../rule/fields";
import { splitLines } from "./lines";
import { error, type RuleProblem } from "../rule/problem";
import { fileOf, type Token } from "../rule/token";

/** How the files are read that a `pg_hba.conf` names. */
export interface IncludeReader {
  /** The text of a file by its path; `undefined` when there is none. Without it nothing can be included. */
  readonly readInclude?: (path: string) => string | undefined;
  /** The names of the files in a folder, for `include_dir`; `undefined` when there is none. */
  readonly listFolder?: (path: string) => readonly string[] | undefined;
}

interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** PostgreSQL's limit on files that include files. */
const deepest = 10;

/** The files of an include line, or why they cannot be read; `undefined` when `kind` is none of the three. PostgreSQL manual, 20.1. */
export function readIncluded(
  kind: string,
  path: string,
  from: string,
  depth: number,
  reader: IncludeReader,
): { readonly files: readonly NamedText[] } | RuleProblem | undefined {
  const name = beside(from, path);
  if (!["include", "include_if_exists", "include_dir"].includes(kind)) return undefined;
  if (depth >= deepest) return tooDeep(name);
  if (kind === "include_dir") return readFolder(name, reader);
  const text = reader.readInclude?.(name);
  if (text !== undefined) return { files: [{ name, text }] };
  return kind === "include_if_exists" ? { files: [] } : missing(name);
}

/** The tokens of a field, those of files in the place of `@file`. */
export function expandField(
  field: readonly Token[],
  from: string,
  depth: number,
  reader: IncludeReader,
): readonly Token[] | RuleProblem {
  const tokens: Token[] = [];
  for (const token of field) {
    const path = fileOf(token);
    const found = path === undefined ? [token] : readNames(beside(from, path), depth + 1, reader);
    if ("severity" in found) return found;
    tokens.push(...found);
  }
  return tokens;
}

function readNames(
  file: string,
  depth: number,
  reader: IncludeReader,
): readonly Token[] | RuleProblem {
  if (depth > deepest) return tooDeep(file);
  const text = reader.readInclude?.(file);
  if (text === undefined) return missing(file);
  const names = splitLines(text).flatMap((line) => splitFields(line.text).fields.flat());
  return expandField(names, file, depth, reader);
}

function readFolder(
  folder: string,
  { listFolder, readInclude }: IncludeReader,
): { readonly files: readonly NamedText[] } | RuleProblem {
  const names = listFolder?.(folder);
  if (!names) return error(`there is no folder ${folder}; make it, or take the line out`);
  const files: NamedText[] = [];
  const wanted = names.filter((name) => /^[^.].*\.conf$/s.test(name));
  for (const name of wanted.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    const path = `${folder}/${name}`;
    const text = readInclude?.(path);
    if (text === undefined) return missing(path);
    files.push({ name: path, text });
  }
  return { files };
}

/** A path as PostgreSQL takes it: relative to the folder of the file that names it. */
function beside(from: string, path: string): string {
  const folder = from.slice(0, from.lastIndexOf("/") + 1);
  return path.startsWith("/") ? path : `${folder}${path}`;
}

function missing(file: string): RuleProblem {
  return error(`there is no file ${file} to read; make it, or write its contents here`);
}

function tooDeep(file: string): RuleProblem {
  return error(`${file} is included more than ${deepest} files deep; take the circle out`);
}
