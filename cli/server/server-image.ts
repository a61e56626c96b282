import { localHost } from "../../model/base/host";
import { serverImage } from "../../tools/server-image";
import { docker } from "../../engine/run";
import { Problem } from "../base/problem";

/** Builds the server image if the engine lacks it; `built` is whether it did. */
export async function ensureServerImage(
  folder: string,
  reportProgress: (text: string) => void,
): Promise<{ tag: string; built: boolean }> {
  const { tag, context } = serverImage(folder);
  const inspect = ["image", "inspect", "--format", "{{.Id}}", tag];
  const found = await docker(localHost, inspect);
  if (found.status === 0) return { tag, built: false };
  const lastLines: string[] = [];
  const readLine = (line: string): void => {
    const step = buildStep(line);
    if (step !== undefined) reportProgress(step);
    lastLines.push(line);
    if (lastLines.length > 20) lastLines.shift();
  };
  const { status } = await docker(localHost, ["build", "--tag", tag, context], {
    onLine: readLine,
    onOutput: readLine,
    // The same builder as in the stack (components/engine/image.ts): the classic builder and BuildKit share no cache.
    environment: { DOCKER_BUILDKIT: "0" },
  });
  if (status === 0) return { tag, built: true };
  throw new Problem(`cannot build the server image:\n${lastLines.join("\n")}`, [
    "if a download failed, check the network of the Docker engine, and run this again;",
    `the whole output: DOCKER_BUILDKIT=0 docker build ${context}`,
  ]);
}

/** `step 3 of 11`, from a line that the classic builder or BuildKit prints; `undefined` for any other line. */
export function buildStep(line: string): string | undefined {
  const match =
    /^Step (\d+)\/(\d+) :/.exec(line) ?? /^#\d+ \[\s*(?:\S+ )?(\d+)\/(\d+)\]/.exec(line);
  return match ? `step ${match[1] ?? ""} of ${match[2] ?? ""}` : undefined;
}
