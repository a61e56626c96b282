import { execa } from "execa";
import { importDebian } from "./debootstrap";
import { findOnPath } from "./folders";
import { canInstallPackages, lastLines } from "./apt-packages";
import { pullImage } from "./pull-image";
import {
  type CheckResult,
  type ProgressCallback,
  type Requirement,
  RequirementError,
} from "./requirement";
import { versions } from "./versions";

/** The requirement of a base image, pulled from a registry or built with debootstrap. */
export function baseImageNamed(image: string, pull = pullImage): Requirement {
  return {
    name: "base image",

    async check(): Promise<CheckResult> {
      if (await exists(image)) return { ok: true, detail: image };
      return { ok: false, detail: `${image} is missing`, fix: "npm start" };
    },

    async ensure(progress: ProgressCallback): Promise<string> {
      if (await exists(image)) return image;
      progress(`pulling ${image}`);
      const failure = await pull(image, progress);
      if (failure === undefined) return `${image}, pulled`;
      if (process.getuid?.() !== 0 || !(findOnPath("debootstrap") ?? canInstallPackages())) {
        throw new RequirementError(
          `${image} could not be pulled: ${lastLines(failure, 1)}`,
          `make a registry reachable, load the image with "docker load", or run this once as root on Debian or Ubuntu to build it with debootstrap`,
        );
      }
      await importDebian(image, progress);
      return `${image}, built with debootstrap`;
    },
  };
}

/** The base image of the server image. */
export const baseImage = baseImageNamed(versions.baseImage);

async function exists(image: string): Promise<boolean> {
  const args = ["image", "inspect", "--format", "{{.Id}}", image];
  const { failed } = await execa("docker", args, { reject: false, timeout: 20_000 });
  return !failed;
}
