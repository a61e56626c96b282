import { execa } from "execa";
import { importDebian } from "./debootstrap";
import { findOnPath } from "./folders";
import { canInstallPackages, lastLines } from "./packages";
import { pullImage } from "./pull-image";
import { type Finding, type Progress, type Requirement, RequirementError } from "./requirement";
import { versions } from "./versions";

/** The image that ours are built from, under any name: `debian:trixie-slim`, or what `debootstrap` makes in its place. */
export function baseImageNamed(image: string, pull = pullImage): Requirement {
  return {
    name: "base image",

    async check(): Promise<Finding> {
      if (await isThere(image)) return { ok: true, detail: image };
      return { ok: false, detail: `${image} is not there yet`, fix: "npm start" };
    },

    async ensure(progress: Progress): Promise<string> {
      if (await isThere(image)) return image;
      progress(`pulling ${image}`);
      const failure = await pull(image, progress);
      if (failure === undefined) return `${image}, pulled`;
      if (process.getuid?.() !== 0 || !(findOnPath("debootstrap") ?? canInstallPackages())) {
        throw new RequirementError(
          `${image} could not be pulled: ${lastLines(failure, 1)}`,
          `make a registry reachable, load the image by "docker load", or run this once as root on Debian or Ubuntu, where it is made by debootstrap`,
        );
      }
      await importDebian(image, progress);
      return `${image}, made by debootstrap`;
    },
  };
}

/** The image that the images of Stagecraft's servers are built from. */
export const baseImage = baseImageNamed(versions.baseImage);

async function isThere(image: string): Promise<boolean> {
  const args = ["image", "inspect", "--format", "{{.Id}}", image];
  const { failed } = await execa("docker", args, { reject: false, timeout: 20_000 });
  return !failed;
}
