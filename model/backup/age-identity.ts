import { recipientProblem } from "./age-recipient";

/**
 * Why a text is not a private key that decrypts off-site copies without further questions, as the rest of a sentence;
 * `undefined` if it may be one. The text is not in it. age(1), "Identities"; OpenSSH's PROTOCOL.key.
 */
export function identityProblem(text: string): string | undefined {
  const key = text.trim();
  if (key === "") return "is empty; use a file created by age-keygen, or an SSH key";
  if (/^age-encryption\.org\/|^-----BEGIN AGE ENCRYPTED FILE-----/.test(key))
    return "is protected with a passphrase, which nobody could enter here; decrypt it first: age --decrypt -o backup-key.txt <file>";
  if (isProtectedSshKey(key))
    return "is an SSH key with a passphrase, which nobody could enter here; use a copy without one: ssh-keygen -p -N '' -f <copy>";
  if (recipientProblem(key) === undefined || /^ssh-\S+ AAAA|^age1/.test(key))
    return "is a public key, which only encrypts; use the private key that belongs to it";
  return undefined;
}

function isProtectedSshKey(key: string): boolean {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----/.test(key)) return true;
  if (/^-----BEGIN [A-Z ]*PRIVATE KEY-----\s+Proc-Type: 4,ENCRYPTED/.test(key)) return true;
  const [, encoded] =
    /^-----BEGIN OPENSSH PRIVATE KEY-----\s([A-Za-z0-9+/=\s]+)-----END/.exec(key) ?? [];
  if (encoded === undefined) return false;
  const bytes = Buffer.from(encoded, "base64");
  const magic = "openssh-key-v1\0";
  if (bytes.toString("latin1", 0, magic.length) !== magic || bytes.length < magic.length + 4)
    return false;
  const length = bytes.readUInt32BE(magic.length);
  const cipher = bytes.toString("latin1", magic.length + 4, magic.length + 4 + length);
  return cipher !== "none";
}
