/** Why a name cannot be in a certificate, as the rest of a sentence that begins with "must"; `undefined` for a valid name. RFC 6125, RFC 1123. */
export function certificateNameProblem(name: string): string | undefined {
  if (isIpAddress(name)) return undefined;
  if (/^[\d.]+$/.test(name) || name.includes(":"))
    return "be an IP address like 192.0.2.7 or 2001:db8::7";
  const labels = (name.startsWith("*.") ? name.slice(2) : name).split(".");
  const isDnsName =
    name.length <= 253 &&
    labels.every((label) => /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?$/i.test(label));
  return isDnsName ? undefined : "be a DNS name like db.example.com, or an IP address";
}

/** Whether a name is an IPv4 or IPv6 address. */
export function isIpAddress(name: string): boolean {
  return isIpv4(name) || ipv6Words(name) !== undefined;
}

/** Normalises a name: lower case, an IPv6 address as openssl prints it. */
export function canonicalName(name: string): string {
  const words = isIpv4(name) ? undefined : ipv6Words(name);
  if (!words) return name.toLowerCase();
  return words.map((word) => word.toString(16).toUpperCase()).join(":");
}

/** Whether one of a certificate's names matches a name; `*` matches one label. RFC 6125, 6.4.3. */
export function coversName(names: readonly string[], required: string): boolean {
  const name = canonicalName(required);
  const parentDomain = name.slice(name.indexOf("."));
  return names
    .map(canonicalName)
    .some(
      (own) =>
        own === name || (!isIpAddress(name) && parentDomain !== name && own === `*${parentDomain}`),
    );
}

function isIpv4(name: string): boolean {
  const parts = name.split(".");
  return (
    parts.length === 4 &&
    parts.every((part) => /^(0|[1-9]\d{0,2})$/.test(part) && Number(part) < 256)
  );
}

/** The eight 16-bit groups of an IPv6 address; `undefined` for anything else. RFC 4291, 2.2. */
function ipv6Words(name: string): number[] | undefined {
  const halves = name.split("::");
  if (halves.length > 2 || !name.includes(":")) return undefined;
  const [head, tail] = halves.map((half) => (half === "" ? [] : half.split(":").map(ipv6Word)));
  if (!head) return undefined;
  const all = [...head, ...(tail ?? [])];
  const missing = 8 - all.length;
  if (tail ? missing < 1 : missing !== 0) return undefined;
  const words = tail ? [...head, ...Array.from({ length: missing }, () => 0), ...tail] : head;
  return words.every((word) => word !== undefined) ? words : undefined;
}

function ipv6Word(text: string): number | undefined {
  return /^[\da-f]{1,4}$/i.test(text) ? parseInt(text, 16) : undefined;
}
