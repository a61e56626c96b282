import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from "node:crypto";
import { link, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Signature } from "../../model/backup/signature";
import { readTextIfExists } from "../system/atomic-file";
import { fsyncPath } from "../system/fsync";
import { stateFolder } from "../system/state-folder";

/** The private Ed25519 key (PKCS #8), in the agent's volume, readable only by the agent. It never leaves this volume. */
const keyFile = path.join(stateFolder, "signing-key.pem");

/** The private key; created by the first call. */
async function privateKey(): Promise<KeyObject> {
  const stored = await readTextIfExists(keyFile);
  return createPrivateKey(stored ?? (await createKey()));
}

/** Creates the key unless another process has just done so; the stored key. */
async function createKey(): Promise<string> {
  const { privateKey: created } = generateKeyPairSync("ed25519");
  const partial = `${keyFile}.${process.pid}.partial`;
  try {
    const pem = created.export({ type: "pkcs8", format: "pem" });
    await writeFile(partial, pem, { mode: 0o600 });
    await fsyncPath(partial);
    // Unlike a rename, a link never replaces a key that is already in use.
    await link(partial, keyFile).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    });
    await fsyncPath(stateFolder);
  } finally {
    await rm(partial, { force: true });
  }
  return (await readTextIfExists(keyFile)) ?? "";
}

/** The agent's public key: `ed25519:…`. */
export async function publicKey(): Promise<string> {
  return textOf(await privateKey());
}

/** Signs a text with the agent's key. */
export async function signText(text: string): Promise<Signature> {
  const key = await privateKey();
  return { key: textOf(key), value: sign(null, Buffer.from(text), key).toString("base64") };
}

/** Whether a signature is valid for a text; whether its key is trusted is another question. */
export function isSignatureOf(text: string, { key, value }: Signature): boolean {
  const bytes = Buffer.from(value, "base64");
  // Another spelling of the same bytes is an altered record.
  if (bytes.toString("base64") !== value) return false;
  try {
    return verify(null, Buffer.from(text), publicKeyOf(key), bytes);
  } catch {
    return false;
  }
}

function textOf(key: KeyObject): string {
  const { x = "" } = createPublicKey(key).export({ format: "jwk" });
  return `ed25519:${Buffer.from(x, "base64url").toString("base64")}`;
}

function publicKeyOf(text: string): KeyObject {
  const x = Buffer.from(text.replace("ed25519:", ""), "base64").toString("base64url");
  return createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
}
