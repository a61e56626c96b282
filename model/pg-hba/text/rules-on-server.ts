import type { IncludedFiles } from "../rule/included-files";
import type { IncludeReader } from "./include";
import { parsePgHba } from "./parse";
import type { LocatedRule } from "./pg-hba-file";

/** Reads included files from an observation. */
export function includeReader({ files, folders }: IncludedFiles): Required<IncludeReader> {
  return {
    readInclude: (path) => (Object.hasOwn(files, path) ? files[path] : undefined),
    listFolder: (path) => (Object.hasOwn(folders, path) ? folders[path] : undefined),
  };
}

/**
 * The rules of an observed `pg_hba.conf`, with those of the files that it includes.
 *
 * @param postgresVersion e.g. `17.5`
 */
export function rulesOnServer(
  { text, included }: { readonly text: string; readonly included?: IncludedFiles | undefined },
  postgresVersion: string,
): readonly LocatedRule[] {
  const major = parseInt(postgresVersion, 10);
  return parsePgHba(text, {
    ...(included && { name: included.path, ...includeReader(included) }),
    ...(major > 0 && { version: major }),
  }).rules;
}
