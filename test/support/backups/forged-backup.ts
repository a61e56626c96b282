import { execa } from "execa";
import type { BackupId } from "../../../model/base/names";
import type { Remotes } from "../offsite/remotes";
import type { TestServer } from "../servers/server";

/** Where an agent keeps its backups. */
const repository = "/var/backups/stagecraft";

/** Rewrites the roles in a backup, and its manifest so that all sizes and digests fit, as whoever may write to its folder can. */
export async function forgeBackup(server: TestServer, id: BackupId): Promise<void> {
  await server.output(["node", "-", `${repository}/${id}`], Buffer.from(script));
}

/** A copy of a backup as an earlier version has made it: encrypted for a public key, unsigned; of a forged one unless that is `false`. */
export async function unsignedCopy(
  server: TestServer,
  id: BackupId,
  recipient: string,
  isForged = true,
): Promise<Buffer> {
  const forge = isForged ? "node - /tmp/forged" : "true";
  const pack = `rm -rf /tmp/forged && cp -r ${repository}/${id} /tmp/forged && ${forge} && tar -C /tmp/forged -cf - . | age -r ${recipient}`;
  return server.output(["bash", "-o", "pipefail", "-ec", pack], Buffer.from(script));
}

/** Puts bytes in place of a file on the machine with the remotes. */
export async function replaceFile(away: Remotes, file: string, bytes: Buffer): Promise<void> {
  await execa("docker", ["exec", "-i", away.name, "sh", "-c", `cat > ${file}`], { input: bytes });
}

const script = `
const { createHash } = require("node:crypto");
const fs = require("node:fs");
const folder = process.argv[2];
const sha256 = (bytes) => createHash("sha256").update(bytes).digest("hex");
const manifest = JSON.parse(fs.readFileSync(folder + "/manifest.json", "utf8"));
const forged = Buffer.from("-- other roles\\n");
fs.writeFileSync(folder + "/globals.sql", forged);
const listed = manifest.files.find(({ path }) => path === "globals.sql");
Object.assign(listed, { bytes: forged.length, sha256: sha256(forged) });
const text = JSON.stringify(manifest);
fs.writeFileSync(folder + "/manifest.json", text);
fs.writeFileSync(folder + "/manifest.sha256", sha256(text) + "  manifest.json\\n");
`;
