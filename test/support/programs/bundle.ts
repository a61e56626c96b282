import { build } from "esbuild";
import { join } from "node:path";
import { checkout } from "../files/checkout";

/** A program to bundle: a file, by its path below the checkout, or TypeScript whose imports start at the checkout. */
export type ProgramSource = { readonly file: string } | { readonly text: string };

const bundles = new Map<string, Promise<string>>();

/**
 * A program as one JavaScript file for the Node of the server image. Bundled once for each source.
 * @throws what esbuild reports.
 */
export async function bundleProgram(source: ProgramSource): Promise<string> {
  const key = JSON.stringify(source);
  const bundle = bundles.get(key) ?? bundleOnce(source);
  bundles.set(key, bundle);
  return bundle;
}

async function bundleOnce(source: ProgramSource): Promise<string> {
  const entry =
    "file" in source
      ? { entryPoints: [join(checkout, source.file)] }
      : { stdin: { contents: source.text, resolveDir: checkout, loader: "ts" as const } };
  const { outputFiles } = await build({
    ...entry,
    bundle: true,
    write: false,
    platform: "node",
    target: "node22",
    format: "cjs",
    external: ["pg-native"],
    loader: { ".sh": "text" },
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
}
