import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { execa } from "execa";
import { cacheFolder, findOnPath } from "./folders";
import { canInstallPackages, installPackages, lastLines } from "./apt-packages";
import { ensurePrivateFolder } from "./private-folder";
import { type ProgressCallback, RequirementError } from "./requirement";

const suite = "trixie";
/** The keys of Debian's archive; the signature of the package lists must be by one of them. */
const keyring = "/usr/share/keyrings/debian-archive-keyring.gpg";
const official = "http://deb.debian.org/debian";

/**
 * Builds a minimal Debian image with debootstrap, from packages that Debian signed, and imports it into Docker; requires root.
 * Raises {@link RequirementError} if the mirror's signature is missing or not Debian's.
 */
export async function importDebian(
  image: string,
  progress: ProgressCallback,
  mirror = machineMirror(),
): Promise<void> {
  await installDebootstrap(progress);
  const work = ensurePrivateFolder(workFolder());
  await removeLeftovers(work);
  const folder = await mkdtemp(join(work, `${String(process.pid)}-`));
  try {
    await chmod(folder, 0o755); // It becomes the image's "/".
    await debootstrap(folder, mirror, progress);
    await slim(folder);
    await writeSources(folder, mirror);
    progress(`importing ${image}`);
    const options = ["--change", 'CMD ["bash"]', "--message", `debootstrap ${suite}`];
    await execa("tar", ["-C", folder, "--numeric-owner", "-c", "."]).pipe("docker", [
      "import",
      ...options,
      "-",
      image,
    ]);
  } finally {
    await remove(folder);
  }
}

/** The folder for unfinished images: root's own, because in one like /tmp others could plant links for us to follow. */
export function workFolder(): string {
  return join(cacheFolder(), "debootstrap");
}

async function installDebootstrap(progress: ProgressCallback): Promise<void> {
  const isComplete = (): boolean =>
    [findOnPath("debootstrap"), findOnPath("gpgv")].every((path) => path !== undefined) &&
    existsSync(keyring);
  if (!isComplete() && canInstallPackages()) {
    const needed = ["debootstrap", "debian-archive-keyring", "gpgv"];
    await installPackages({ needed }, progress);
  }
  if (isComplete()) return;
  throw new RequirementError(
    `the signatures of Debian's packages cannot be checked: debootstrap, gpgv or ${keyring} is missing`,
    "install the packages debootstrap, gpgv and debian-archive-keyring",
  );
}

async function debootstrap(
  folder: string,
  mirror: string,
  progress: ProgressCallback,
): Promise<void> {
  const options = ["--variant=minbase", "--force-check-gpg", `--keyring=${keyring}`];
  const run = execa("debootstrap", [...options, suite, folder, mirror, ...script()], {
    stdin: "ignore",
    reject: false,
    all: true,
  });
  run.all.on("data", (chunk: Buffer) => {
    const line = /^I: (.*)$/m.exec(chunk.toString())?.[1];
    if (line !== undefined) progress(`debootstrap: ${line}`);
  });
  const { failed, all } = await run;
  if (failed) {
    throw new RequirementError(
      `debootstrap of Debian ${suite} failed: ${lastLines(all, 3)}`,
      `make ${mirror} reachable for this machine, with packages that Debian signed, then run this again`,
    );
  }
}

/** The Debian mirror of this machine's package sources, else the official one. */
function machineMirror(): string {
  const folder = "/etc/apt/sources.list.d";
  const files = existsSync(folder) ? readdirSync(folder).map((name) => join(folder, name)) : [];
  for (const file of [...files, "/etc/apt/sources.list"]) {
    if (!/\.(list|sources)$/.test(file) || !existsSync(file)) continue;
    const url = /^(?:URIs:|deb(?: \[[^\]]*\])?)\s+(https?:\/\/\S+\/debian)\/?(?:\s|$)/m;
    const found = url.exec(readFileSync(file, "utf8"))?.[1];
    if (found !== undefined) return found;
  }
  return official;
}

/** An older debootstrap lacks a script for the suite; the one of `sid` works for all suites. */
function script(): string[] {
  const scripts = "/usr/share/debootstrap/scripts";
  return existsSync(join(scripts, suite)) ? [] : [join(scripts, "sid")];
}

/** Removes what the official slim image omits. */
async function slim(folder: string): Promise<void> {
  const unneeded = ["doc", "info", "locale", "man"].map((name) => `usr/share/${name}`);
  for (const path of [...unneeded, "var/cache/apt/archives", "var/lib/apt/lists"]) {
    for (const name of await readdir(join(folder, path)).catch(() => [])) {
      await rm(join(folder, path, name), { recursive: true, force: true });
    }
  }
  const excludes = unneeded.map((path) => `path-exclude /${path}/*\n`).join("");
  await writeFile(join(folder, "etc/dpkg/dpkg.cfg.d/docker"), excludes);
  await rm(join(folder, "etc/hostname"), { force: true });
  await rm(join(folder, "etc/resolv.conf"), { force: true });
}

/** Package sources as in the official image: with security updates, which `debootstrap` omits. */
async function writeSources(folder: string, mirror: string): Promise<void> {
  const source = (url: string, suites: string): string =>
    `Types: deb\nURIs: ${url}\nSuites: ${suites}\nComponents: main\n` +
    "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n";
  await rm(join(folder, "etc/apt/sources.list"), { force: true });
  await writeFile(
    join(folder, "etc/apt/sources.list.d/debian.sources"),
    [
      source(mirror, `${suite} ${suite}-updates`),
      source(`${mirror}-security`, `${suite}-security`),
    ].join("\n"),
  );
}

/** Removes the folders of killed runs. */
async function removeLeftovers(work: string): Promise<void> {
  for (const entry of await readdir(work, { withFileTypes: true })) {
    const owner = /^(\d+)-/.exec(entry.name)?.[1];
    // Never a link: what is mounted in the folder gets unmounted.
    if (owner === undefined || !entry.isDirectory() || existsSync(`/proc/${owner}`)) continue;
    await remove(join(work, entry.name));
  }
}

/** Removes a folder; an interrupted debootstrap may have left kernel file systems mounted in it. */
async function remove(folder: string): Promise<void> {
  for (const mount of ["proc", "sys", "dev/pts", "dev"]) {
    await execa("umount", ["--lazy", join(folder, mount)], { reject: false });
  }
  await rm(folder, { recursive: true, force: true });
}
