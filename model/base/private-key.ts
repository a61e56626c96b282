/** Whether a private key in PEM or in OpenSSH's format is encrypted with a passphrase. PROTOCOL.key of OpenSSH, RFC 1421, RFC 7468. */
export function hasPassphrase(key: string): boolean {
  if (/^-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m.test(key)) return true;
  const [, base64 = ""] = /-----BEGIN OPENSSH PRIVATE KEY-----([^-]*)-----END/.exec(key) ?? [];
  const bytes = Buffer.from(base64.replaceAll(/\s/g, ""), "base64");
  // The magic string, the length of the cipher's name in four bytes, the name.
  const start = "openssh-key-v1\0".length;
  if (bytes.length < start + 4) return false;
  const end = start + 4 + bytes.readUInt32BE(start);
  return bytes.toString("latin1", start + 4, end) !== "none";
}
