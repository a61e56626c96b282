import { expect, test } from "vitest";
import { exportedNames } from "./exported-names";
import { readSource, sourcePaths } from "./sources";

const layers = /^(?:agent|model|contract|engine|cli|components)\/.*\.m?ts$/;

/** Files by the exported names that they declare. */
function filesByName(): Map<string, string[]> {
  const files = new Map<string, string[]>();
  for (const path of sourcePaths().filter((path) => layers.test(path)))
    for (const name of exportedNames(readSource(path)))
      files.set(name, [...(files.get(name) ?? []), path]);
  return files;
}

/** The agent's and the CLI's handler of a verb both have the verb's name. */
const areHandlersOfOneVerb = (paths: readonly string[]): boolean =>
  paths.length === 2 && ["agent/verbs/", "cli/verbs/"].every((at, i) => paths[i]?.startsWith(at));

test("no exported name has two meanings: each is declared in one file", () => {
  const repeated = [...filesByName()].filter(
    ([, paths]) => paths.length > 1 && !areHandlersOfOneVerb(paths),
  );
  expect(repeated.map(([name, paths]) => `${name}: ${paths.join(", ")}`)).toEqual([]);
});

test("declared names are seen, and those passed on are not", () => {
  const text = `
    export const a = 1, { b, c: [d] } = x;
    export function e(n: string): void;
    export function e(n: number): void;
    export async function e(n: unknown) {}
    export class F {}
    export interface G {}
    export type H = string;
    export enum I {}
    export { j } from "./j";
    export * from "./k";
    const l = 1;
    export { l };
    export default l;
  `;
  expect(exportedNames(text)).toEqual(["a", "b", "d", "e", "F", "G", "H", "I"]);
});
