import { execa } from "execa";
import type { ProgressCallback } from "./requirement";

/** Timeout for the registry's first response. */
const firstAnswerSeconds = 20;
/** Timeout between lines of output: Docker prints nothing while it unpacks a layer. */
const silenceSeconds = 180;

/** Pulls an image; returns the error, or `undefined` if it was pulled. */
export async function pullImage(
  image: string,
  progress: ProgressCallback,
): Promise<string | undefined> {
  const pulling = execa("docker", ["pull", image], { stdin: "ignore", reject: false, all: true });
  const outcome = { gaveUp: false };
  const giveUp = (): void => {
    outcome.gaveUp = true;
    pulling.kill();
  };
  let timer = setTimeout(giveUp, firstAnswerSeconds * 1000);
  pulling.all.on("data", (chunk: Buffer) => {
    clearTimeout(timer);
    timer = setTimeout(giveUp, silenceSeconds * 1000);
    progress(`pulling ${image}: ${chunk.toString().trim().split("\n").at(-1) ?? ""}`);
  });
  const { failed, all } = await pulling;
  clearTimeout(timer);
  if (!failed) return undefined;
  return outcome.gaveUp ? "the registry does not respond" : all;
}
