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

test("no exported name has two meanings: each is declared in one file", () => {
  const repeated = [...filesByName()].filter(([, paths]) => paths.length > 1);
  expect(repeated.map(([name, paths]) => `${name}: ${paths.join(", ")}`)).toEqual([]);
});

test("declared names are seen, and those passed on are not", () => {
  const text = [
    "export const a: Map<string, number> = x;",
    "export const { b, c: d, e = 1 } = x;",
    "export const [f] = x;",
    "export function g(n: string): void;",
    "export function g(n: number): void;",
    "export async function h() {}",
    "export abstract class I {}",
    "export interface J {",
    "export type K = string;",
    "export enum L {",
    'export { m } from "./m";',
    'export type { M } from "./m";',
    'export * from "./n";',
    "  export const o = 1;",
    "const p = 1;",
  ].join("\n");
  expect(exportedNames(text)).toEqual(["a", "b", "d", "e", "f", "g", "h", "I", "J", "K", "L"]);
});
