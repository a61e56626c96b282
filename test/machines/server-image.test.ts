import { execa } from "execa";
import { expect, test } from "vitest";
import { packageDate } from "../../tools/package-date";
import { serverImage } from "../../tools/server-image";
import { checkout } from "../support/files/checkout";

const { tag } = serverImage(checkout);

/** Runs a program as root in the server image. */
async function inImage(program: string, ...args: readonly string[]): Promise<string> {
  const options = ["--rm", "--user", "0", "--network", "none", "--entrypoint", program];
  return (await execa("docker", ["run", ...options, tag, ...args])).stdout;
}

test("no program in the server image runs with its owner's rights", async () => {
  const find = ["/", "-xdev", "-type", "f", "-perm", "/6000"];
  expect(await inImage("find", ...find)).toBe("");
});

test("the server image says of which day its packages are", async () => {
  const format = '{{index .Config.Labels "stagecraft.packages"}}';
  const { stdout } = await execa("docker", ["image", "inspect", "--format", format, tag]);
  expect(stdout).toBe(packageDate(checkout));
});

test("the server image has no source text, only names and lines for stack traces", async () => {
  const text = await inImage("cat", "/usr/local/lib/stagecraft/agent.js.map");
  const map = JSON.parse(text) as { sources: string[]; sourcesContent?: unknown };
  expect(map.sources.length).toBeGreaterThan(50);
  expect(map.sourcesContent).toBeUndefined();
});

test("files of the agent can be read, whatever the umask of whoever built the image was", async () => {
  const modes = await inImage("stat", "-c", "%a %n", "/usr/local/lib/stagecraft/agent.js");
  expect(modes).toBe("644 /usr/local/lib/stagecraft/agent.js");
});
