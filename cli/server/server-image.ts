import { execa } from "execa";
import { localHost } from "../../model/base/host";
import { serverImage } from "../../tools/server-image";
import { engineProblem } from "./docker";
import { Problem } from "../base/problem";

/** Builds the server image when the engine does not have it; whether it had to. */
export async function ensureServerImage(
  folder: string,
  tell: (progress: string) => void,
): Promise<{ tag: string; built: boolean }> {
  const { tag, context } = serverImage(folder);
  const found = await execa("docker", ["image", "inspect", "--format", "{{.Id}}", tag], {
    reject: false,
  });
  if (found.exitCode === 0) return { tag, built: false };
  const build = execa("docker", ["build", "--tag", tag, context], {
    reject: false,
    all: true,
    stdin: "ignore",
    // The builder that the stack uses too (components/postgres/containers.ts): the two share no cache.
    env: { DOCKER_BUILDKIT: "0" },
  });
  const lastLines: string[] = [];
  for await (const line of build.iterable({ from: "all" })) {
    const step = buildStep(line);
    if (step !== undefined) tell(step);
    lastLines.push(line);
    if (lastLines.length > 20) lastLines.shift();
  }
  const { exitCode, stderr } = await build;
  if (exitCode === 0) return { tag, built: true };
  throw (
    engineProblem(localHost, stderr) ??
    new Problem(`the server image could not be built:\n${lastLines.join("\n")}`)
  );
}

/** `step 3 of 11`, from a line of `docker build`, of the classic builder or of BuildKit. */
export function buildStep(line: string): string | undefined {
  const match =
    /^Step (\d+)\/(\d+) :/.exec(line) ?? /^#\d+ \[\s*(?:\S+ )?(\d+)\/(\d+)\]/.exec(line);
  return match ? `step ${match[1] ?? ""} of ${match[2] ?? ""}` : undefined;
}
