import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { identityProblem } from "../../../../model/backup/age-identity";

/** A private SSH key as OpenSSH writes it: the name of its cipher, and something more. */
function sshKey(cipher: string): string {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(cipher.length);
  const parts = [Buffer.from("openssh-key-v1\0"), length, Buffer.from(cipher), Buffer.alloc(60)];
  const encoded = Buffer.concat(parts).toString("base64").replace(/.{70}/g, "$&\n");
  return `-----BEGIN OPENSSH PRIVATE KEY-----\n${encoded}\n-----END OPENSSH PRIVATE KEY-----\n`;
}

test.each([
  ["of age", "# created: 2026\n# public key: age1x\nAGE-SECRET-KEY-1QQ\n"],
  ["of SSH", sshKey("none")],
  ["in PEM", "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\n"],
])("a private key %s is one", (_, key) => {
  expect(identityProblem(key)).toBeUndefined();
});

const protectedPem = `-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nMIIE\n`;
test.each([
  ["nothing", " \n", /^is empty/],
  [
    "age -p",
    "age-encryption.org/v1\n-> scrypt xx 18\n",
    /protected with a passphrase.*age --decrypt/,
  ],
  ["age -p -a", "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n", /protected with a passphrase/],
  ["OpenSSH", sshKey("aes256-ctr"), /SSH key with a passphrase.*ssh-keygen -p/],
  ["PKCS #8", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIE\n", /SSH key with a passphrase/],
  ["PEM", protectedPem, /SSH key with a passphrase/],
  [
    "a public key of SSH",
    `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${"a".repeat(43)} me@here`,
    /public key/,
  ],
  [
    "a public key of age",
    "age1ac265zwcz0p49ldafugk6tueq38k05v7ym4t7t5x9j6jal0qdcmsrqfwd2",
    /public key/,
  ],
])("what cannot decrypt is named: %s", (_, key, text) => {
  expect(identityProblem(key)).toMatch(text);
  expect(identityProblem(key)).not.toContain("MIIE");
});

test("OpenSSH's own key is read as it is written", () => {
  const folder = mkdtempSync(join(tmpdir(), "key-"));
  try {
    const file = join(folder, "key");
    execFileSync("ssh-keygen", ["-q", "-t", "ed25519", "-N", "a passphrase", "-f", file]);
    expect(identityProblem(readFileSync(file, "utf8"))).toMatch(/^is an SSH key with a passphrase/);
    execFileSync("ssh-keygen", ["-q", "-p", "-P", "a passphrase", "-N", "", "-f", file]);
    expect(identityProblem(readFileSync(file, "utf8"))).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
