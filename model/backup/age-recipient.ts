/** Public keys that age accepts. age(1), "Recipients". */
const kinds: readonly RegExp[] = [
  /^age1[02-9ac-hj-np-z]{58}$/,
  /^ssh-ed25519 [A-Za-z0-9+/]{68}(?: .*)?$/,
  /^ssh-rsa [A-Za-z0-9+/]{200,}={0,2}(?: .*)?$/,
];

/** Why a text is not a public key for encryption; a complete sentence without the value, which may be a private key by mistake. */
export function recipientProblem(text: string): string | undefined {
  if (/SECRET|PRIVATE/i.test(text)) {
    return "is a private key, which must never be on the server; create a new key pair, because this key is exposed in the stack file, and set the public key";
  }
  if (kinds.some((kind) => kind.test(text))) return undefined;
  const prefix = text.slice(0, 12);
  return `must be a public key of age (age1…, from age-keygen) or of SSH (ssh-ed25519 AAAA… or ssh-rsa AAAA…), got a text that begins with ${JSON.stringify(prefix)}`;
}
