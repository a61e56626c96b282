import { lookup } from "node:dns/promises";
import { isIP } from "node:net";

/** The option with its value: words, or quoted ones. */
const option = /\bradiusservers=(?:"[^"\n]*"|[^\s"])*/g;

/**
 * Replaces names of RADIUS servers by their addresses, as the agent's container resolves them, which is in the network of
 * PostgreSQL's. PostgreSQL resolves names when it reads the rules; the scratch container has no network to do so. A name
 * that cannot be resolved stays, so that PostgreSQL rejects it.
 */
export async function withServerAddresses(text: string): Promise<string> {
  const found = [...text.matchAll(option)].flatMap(([value]) => namesOf(value));
  const addresses = new Map<string, string>();
  for (const name of new Set(found)) {
    const resolved = await lookup(name).catch(() => undefined);
    if (resolved) addresses.set(name, resolved.address);
  }
  return text.replace(option, (value) =>
    value.replace(
      /[^\s",=]+/g,
      (word, at: number) => (at === 0 ? undefined : addresses.get(word)) ?? word,
    ),
  );
}

function namesOf(value: string): string[] {
  const words = value.slice(value.indexOf("=") + 1).split(/[\s",]+/);
  return words.filter((word) => word !== "" && isIP(word) === 0);
}
