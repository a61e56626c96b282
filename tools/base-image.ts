import { execa } from "execa";
import { requireChecksum } from "./checksums";
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

/**
 * The requirement of a base image: pulled from a registry by the digest of `official`, or built with debootstrap from packages that
 * Debian signed. An image of this name was created in one of these ways, or by somebody who may do anything on this engine.
 */
export function baseImageNamed(
  image: string,
  { official = versions.officialBaseImage, pull = pullImage, build = importDebian } = {},
): Requirement {
  return {
    name: "base image",

    async check(): Promise<CheckResult> {
      if (await exists(image)) return { ok: true, detail: image };
      return { ok: false, detail: `${image} is missing`, fix: "npm start" };
    },

    async ensure(progress: ProgressCallback): Promise<string> {
      if (await exists(image)) return image;
      const reference = pinnedReference(official);
      progress(`pulling ${official}`);
      const failure = await pull(reference, progress);
      if (failure === undefined) {
        await execa("docker", ["tag", reference, image]);
        return `${image}, pulled`;
      }
      if (process.getuid?.() !== 0 || !(findOnPath("debootstrap") ?? canInstallPackages())) {
        throw new RequirementError(
          `${reference} could not be pulled: ${lastLines(failure, 1)}`,
          `make a registry reachable, load the image and name it with "docker tag … ${image}", or run this once as root on Debian or Ubuntu to build it with debootstrap`,
        );
      }
      await build(image, progress);
      return `${image}, built with debootstrap`;
    },
  };
}

/** The reference by which Docker accepts this image only: `debian@sha256:…`. */
function pinnedReference(official: string): string {
  return `${official.replace(/:.*$/, "")}@sha256:${requireChecksum(official)}`;
}

/** The base image of the server image. */
export const baseImage = baseImageNamed(versions.baseImage);

async function exists(image: string): Promise<boolean> {
  const args = ["image", "inspect", "--format", "{{.Id}}", image];
  const { failed } = await execa("docker", args, { reject: false, timeout: 20_000 });
  return !failed;
}
