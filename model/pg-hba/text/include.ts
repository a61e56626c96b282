import { splitFields } from "../rule/fields";
import { splitLines } from "./lines";
import { error, type RuleProblem } from "../rule/problem";
import { fileOf, type Token } from "../rule/token";

/** Reads the files that a `pg_hba.conf` includes. */
export interface IncludeReader {
  /** Reads a file; `undefined` when it does not exist. @default no file exists */
  readonly readInclude?: (path: string) => string | undefined;
  /** Lists the file names in a folder, for `include_dir`; `undefined` when it does not exist. @default no folder exists */
  readonly listFolder?: (path: string) => readonly string[] | undefined;
}

interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** PostgreSQL's limit on nested includes. */
const maxIncludeDepth = 10;

/** Reads the files of an include line, or returns the problem; `undefined` when `kind` is not an include directive. PostgreSQL manual, 20.1. */
export function readIncluded(
  kind: string,
  path: string,
  from: string,
  depth: number,
  reader: IncludeReader,
): { readonly files: readonly NamedText[] } | RuleProblem | undefined {
  const name = resolvePath(from, path);
  if (!["include", "include_if_exists", "include_dir"].includes(kind)) return undefined;
  if (depth >= maxIncludeDepth) return tooDeep(name);
  if (kind === "include_dir") return readFolder(name, reader);
  const text = reader.readInclude?.(name);
  if (text !== undefined) return { files: [{ name, text }] };
  return kind === "include_if_exists" ? { files: [] } : missing(name);
}

/** Replaces each `@file` token of a field by the tokens in that file. */
export function expandField(
  field: readonly Token[],
  from: string,
  depth: number,
  reader: IncludeReader,
): readonly Token[] | RuleProblem {
  const tokens: Token[] = [];
  for (const token of field) {
    const path = fileOf(token);
    const found =
      path === undefined ? [token] : readNames(resolvePath(from, path), depth + 1, reader);
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
  if (depth > maxIncludeDepth) return tooDeep(file);
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
  if (!names) return error(`folder ${folder} does not exist; create it, or remove the line`);
  const files: NamedText[] = [];
  const included = names.filter((name) => /^[^.].*\.conf$/s.test(name));
  for (const name of included.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))) {
    const path = `${folder}/${name}`;
    const text = readInclude?.(path);
    if (text === undefined) return missing(path);
    files.push({ name: path, text });
  }
  return { files };
}

/** Resolves a path relative to the folder of the including file, as PostgreSQL does. */
function resolvePath(from: string, path: string): string {
  const folder = from.slice(0, from.lastIndexOf("/") + 1);
  return path.startsWith("/") ? path : `${folder}${path}`;
}

function missing(file: string): RuleProblem {
  return error(`file ${file} does not exist; create it, or write its contents here`);
}

function tooDeep(file: string): RuleProblem {
  return error(
    `${file} is included more than ${maxIncludeDepth} levels deep; remove the circular include`,
  );
}
