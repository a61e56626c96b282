import { existsSync, readdirSync, readFileSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { findOnPath } from "./folders";
import { installPackages, lastLines } from "./apt-packages";
import { type ProgressCallback, RequirementError } from "./requirement";

const suite = "trixie";
const prefix = "stagecraft-debootstrap-";
const official = "http://deb.debian.org/debian";

/** Builds a minimal Debian image with debootstrap and imports it into Docker; requires root. */
export async function importDebian(image: string, progress: ProgressCallback): Promise<void> {
  if (findOnPath("debootstrap") === undefined) {
    await installPackages(
      { needed: ["debootstrap"], optional: ["debian-archive-keyring"] },
      progress,
    );
  }
  await removeLeftovers();
  const folder = await mkdtemp(join(tmpdir(), `${prefix}${String(process.pid)}-`));
  try {
    await chmod(folder, 0o755); // It becomes the image's "/".
    await debootstrap(folder, progress);
    await slim(folder);
    await writeSources(folder);
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

async function debootstrap(folder: string, progress: ProgressCallback): Promise<void> {
  const run = execa("debootstrap", ["--variant=minbase", suite, folder, mirror(), ...script()], {
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
      `make ${mirror()} reachable for this machine, then run this again`,
    );
  }
}

/** The Debian mirror of this machine's package sources, else the official one. */
function mirror(): string {
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
async function writeSources(folder: string): Promise<void> {
  const source = (url: string, suites: string): string =>
    `Types: deb\nURIs: ${url}\nSuites: ${suites}\nComponents: main\n` +
    "Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg\n";
  await rm(join(folder, "etc/apt/sources.list"), { force: true });
  await writeFile(
    join(folder, "etc/apt/sources.list.d/debian.sources"),
    [
      source(mirror(), `${suite} ${suite}-updates`),
      source(`${mirror()}-security`, `${suite}-security`),
    ].join("\n"),
  );
}

/** Removes the folders of killed runs. */
async function removeLeftovers(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || existsSync(`/proc/${owner}`)) continue;
    await remove(join(tmpdir(), name));
  }
}

/** Removes a folder; an interrupted debootstrap may have left kernel file systems mounted in it. */
async function remove(folder: string): Promise<void> {
  for (const mount of ["proc", "sys", "dev/pts", "dev"]) {
    await execa("umount", ["--lazy", join(folder, mount)], { reject: false });
  }
  await rm(folder, { recursive: true, force: true });
}
