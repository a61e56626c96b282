import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { packageFolder } from "../../../tools/folders";
import { readSource, sourcePaths } from "../house/sources";

const root = packageFolder();
const layers =
  "agent|model|contract|engine|components|program|stacks|cli|tools|images|test|docs|bin";

/** Paths of files that a text names, from the project folder. */
function namedFiles(text: string): string[] {
  const pattern = new RegExp(
    `(?<![\\w./-])(?:${layers})/[\\w./-]*\\.(?:[cm]?[tj]s|sh|md|json|svg)\\b`,
    "g",
  );
  return [...text.matchAll(pattern)].map(([path]) => path);
}

const missing = (paths: readonly string[]): string[] =>
  paths.filter((path) => !existsSync(join(root, path)));

test.each(sourcePaths().filter((path) => path.endsWith(".md") && path !== "CHANGELOG.md"))(
  "%s names files and pages that exist",
  (page) => {
    const text = readSource(page);
    const links = [...text.matchAll(/\]\(([^)#:\s]+)(?:#[^)]*)?\)/g)].map(([, link]) =>
      join(dirname(page), link ?? ""),
    );
    expect(missing([...namedFiles(text), ...links])).toEqual([]);
  },
);

test("comments and messages of the code name files and pages that exist", () => {
  const sources = sourcePaths().filter((path) => !path.endsWith(".md"));
  const wrong = sources.flatMap((path) =>
    missing(namedFiles(readSource(path))).map((name) => `${path}: ${name}`),
  );
  expect(wrong).toEqual([]);
});
