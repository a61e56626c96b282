import { execa } from "execa";
import { createHash } from "node:crypto";

/** The image that a Dockerfile without a context describes, built where it is not there yet; its name. */
export async function testImage(name: string, dockerfile: string): Promise<string> {
  const tag = createHash("sha256").update(dockerfile).digest("hex").slice(0, 12);
  const image = `stagecraft-test-${name}:${tag}`;
  const { failed } = await execa("docker", ["image", "inspect", image], { reject: false });
  if (failed) {
    const env = { DOCKER_BUILDKIT: "0" };
    await execa("docker", ["build", "--tag", image, "-"], { input: dockerfile, env });
  }
  return image;
}
