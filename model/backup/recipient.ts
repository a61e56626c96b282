/** How the public keys begin that age encrypts for. age(1), "Recipients". */
const kinds: readonly RegExp[] = [
  /^age1[02-9ac-hj-np-z]{58}$/,
  /^ssh-ed25519 [A-Za-z0-9+/]{68}(?: .*)?$/,
  /^ssh-rsa [A-Za-z0-9+/]{200,}={0,2}(?: .*)?$/,
];

/** What is wrong with a public key to encrypt for; a whole sentence without the value, which may be a private one by mistake. */
export function recipientProblem(text: string): string | undefined {
  if (/SECRET|PRIVATE/i.test(text)) {
    return "is a private key, which must never be on the server; give the public one that belongs to it, and make a new pair, as this one has been in a file of the stack";
  }
  if (kinds.some((kind) => kind.test(text))) return undefined;
  const begin = text.slice(0, 12);
  return `must be a public key of age (age1…, from age-keygen) or of SSH (ssh-ed25519 AAAA… or ssh-rsa AAAA…), got one that begins with ${JSON.stringify(begin)}`;
}
