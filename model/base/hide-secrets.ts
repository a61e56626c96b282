/** What stands in the place of a secret. */
const hidden = "•••";

/** A text in which none of the secrets stands any more, nor any line of one that has several. */
export function hideSecrets(text: string, secrets: readonly string[]): string {
  const parts = secrets
    .flatMap((secret) => [secret, ...secret.split(/\n|\\n/)])
    .map((part) => part.trim())
    // What is shorter would hide half of every text, and guards nothing.
    .filter((part) => part.length >= 4);
  // The longest first: a part of a secret must not break up the whole.
  const ordered = [...new Set(parts)].sort((a, b) => b.length - a.length);
  return ordered.reduce((rest, part) => rest.replaceAll(part, hidden), text);
}
