import { execa } from "execa";
import type { Progress } from "./requirement";

/** A registry that does not answer by then is taken for unreachable. */
const firstAnswerSeconds = 20;
/** Docker says nothing while it loads one layer: so much longer. */
const silenceSeconds = 180;

/** Pulls an image; returns why it could not be pulled, or nothing. */
export async function pullImage(image: string, progress: Progress): Promise<string | undefined> {
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
  return outcome.gaveUp ? "the registry does not answer" : all;
}
