import { createHash, createPrivateKey, createPublicKey, sign, type KeyObject } from "node:crypto";
import { signedText } from "../../../model/backup/signature";
import type { BackupId } from "../../../model/base/names";
import type { TestServer } from "../servers/server";

/** Where an agent keeps its backups. */
const repository = "/var/backups/stagecraft";

/** The records about a backup that are signed. */
export type SignedName = "signature" | "attempt" | "verification" | "offsite";

/** What a record has in it. */
export type Facts = Readonly<Record<string, unknown>>;

/** The text of a record as an agent with this key writes it. */
export function recordText(id: BackupId, name: SignedName, record: Facts, key: KeyObject): string {
  const value = sign(null, Buffer.from(signedText(name, id, record)), key).toString("base64");
  return JSON.stringify({ ...record, signature: { key: publicKeyOf(key), value } });
}

/** The public half of a key, as the agent shows it. */
export function publicKeyOf(key: KeyObject): string {
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  return `ed25519:${Buffer.from(x, "base64url").toString("base64")}`;
}

/** Writes a record about a backup, signed with the agent's key unless another one is given. */
export async function writeSignedRecord(
  server: TestServer,
  id: BackupId,
  name: SignedName,
  record: Facts,
  key?: KeyObject,
): Promise<void> {
  const text = recordText(id, name, record, key ?? (await readSigningKey(server)));
  const folder = `${repository}/records/${id}`;
  await server.output(
    ["sh", "-c", `mkdir -p ${folder} && cat >${folder}/${name}.json`],
    Buffer.from(text),
  );
}

/** Signs the manifest of a backup that a test has written, as if the agent had made it. */
export async function signManifest(
  server: TestServer,
  id: BackupId,
  key?: KeyObject,
): Promise<void> {
  const manifest = await manifestSha256(server, id);
  const at = new Date().toISOString();
  await writeSignedRecord(server, id, "signature", { manifest, reason: "made", at }, key);
}

/** SHA-256 of the manifest of a backup. */
export async function manifestSha256(server: TestServer, id: BackupId): Promise<string> {
  const bytes = await server.output(["cat", `${repository}/${id}/manifest.json`]);
  return createHash("sha256").update(bytes).digest("hex");
}

/** The agent's private key, once it has made one. */
export async function readSigningKey(server: TestServer): Promise<KeyObject> {
  const file = "/var/lib/stagecraft/signing-key.pem";
  const wait = `until [ -s ${file} ]; do sleep 0.05; done; cat ${file}`;
  return createPrivateKey(await server.output(["sh", "-c", wait]));
}
