/** Replacement for a secret. */
const hidden = "•••";

/** Replaces all secrets in a text, and each line of multi-line secrets. Parts shorter than 4 characters are not replaced. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  const parts = secrets
    .flatMap((secret) => [secret, ...secret.split(/\n|\\n/)])
    .map((part) => part.trim())
    // Shorter parts would match almost everywhere and protect nothing.
    .filter((part) => part.length >= 4);
  // Longest first: replacing part of a secret would prevent a match of the whole.
  const ordered = [...new Set(parts)].sort((a, b) => b.length - a.length);
  return ordered.reduce((rest, part) => rest.replaceAll(part, hidden), text);
}
