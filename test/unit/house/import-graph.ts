import { existsSync, readFileSync } from "node:fs";
import { join, posix } from "node:path";
import ts from "typescript";

/** Files by their imports of other files of the project, dynamic ones and those of types included. */
export type ImportGraph = ReadonlyMap<string, ReadonlySet<string>>;

/** A loop, and for each of its steps one import as an example. */
export interface Loop {
  readonly members: readonly string[];
  readonly imports: readonly string[];
}

/** Reads the imports of files. Paths are relative to `root`, with `/`. */
export function readImports(root: string, files: readonly string[]): ImportGraph {
  return new Map(files.map((file) => [file, new Set(importsOf(root, file))]));
}

/** The packages that a file imports, by the names in its `import` and `require`. */
export function packagesOf(root: string, file: string): string[] {
  return specifiersOf(root, file).filter((name) => !name.startsWith("."));
}

function importsOf(root: string, file: string): string[] {
  return specifiersOf(root, file)
    .filter((name) => name.startsWith("."))
    .map((name) => resolveImport(root, posix.join(posix.dirname(file), name)))
    .filter((target) => target !== undefined);
}

function specifiersOf(root: string, file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  return ts.preProcessFile(text, true, true).importedFiles.map(({ fileName }) => fileName);
}

function resolveImport(root: string, path: string): string | undefined {
  const candidates = [
    path,
    `${path}.ts`,
    path.replace(/\.(m?)js$/, ".$1ts"),
    `${path}.js`,
    `${path}/index.ts`,
  ];
  return candidates.find(
    (candidate) => /\.\w+$/.test(candidate) && existsSync(join(root, candidate)),
  );
}

/** Files that import each other, directly or through others. */
export function fileLoops(graph: ImportGraph): Loop[] {
  return loopsOf(graph, (file) => file);
}

/**
 * Folders that import each other, at any depth: the folders and files of one folder count as its members, with the imports
 * of all that is below them. A loop between files only is one of {@link fileLoops}.
 */
export function folderLoops(graph: ImportGraph): Loop[] {
  const parents = new Set([...graph.keys()].flatMap(ancestors));
  return [...parents].flatMap((parent) => {
    const memberOf = (file: string): string | undefined => {
      const rest = parent === "" ? file : file.slice(parent.length + 1);
      if (parent !== "" && !file.startsWith(`${parent}/`)) return undefined;
      return parent === "" ? rest.split("/")[0] : `${parent}/${rest.split("/")[0] ?? ""}`;
    };
    return loopsOf(graph, memberOf).filter(({ members }) =>
      members.some((member) => !graph.has(member)),
    );
  });
}

function ancestors(file: string): string[] {
  const parts = file.split("/").slice(0, -1);
  return ["", ...parts.map((_, index) => parts.slice(0, index + 1).join("/"))];
}

/** Strongly connected members of more than one. Members are files, or what stands for several; `undefined` is left out. */
function loopsOf(graph: ImportGraph, memberOf: (file: string) => string | undefined): Loop[] {
  const arrows = new Map<string, Map<string, string>>();
  for (const [file, targets] of graph) {
    const from = memberOf(file);
    if (from === undefined) continue;
    const found = arrows.get(from) ?? new Map<string, string>();
    arrows.set(from, found);
    for (const target of targets) {
      const to = memberOf(target);
      if (to !== undefined && to !== from) found.set(to, `${file} → ${target}`);
    }
  }
  const reached = new Map([...arrows.keys()].map((from) => [from, reach(arrows, from)]));
  const loops = new Map<string, Loop>();
  for (const [member, others] of reached) {
    if (!others.has(member)) continue;
    const members = [...others].filter((other) => reached.get(other)?.has(member)).sort();
    const imports = members.flatMap((from) =>
      [...(arrows.get(from) ?? [])].filter(([to]) => members.includes(to)).map(([, text]) => text),
    );
    loops.set(members.join(" "), { members, imports });
  }
  return [...loops.values()];
}

function reach(
  arrows: ReadonlyMap<string, ReadonlyMap<string, string>>,
  from: string,
): Set<string> {
  const seen = new Set<string>();
  const open = [from];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const to of arrows.get(next)?.keys() ?? []) {
      if (seen.has(to)) continue;
      seen.add(to);
      open.push(to);
    }
  }
  return seen;
}
