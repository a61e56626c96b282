import { engineNames } from "../base/engine-names";
import type { StackFileConfig } from "./schema";
import { stackKinds } from "../base/names";
import { offsiteRepository } from "../restore/offsite-source";

/** Origin of backups: a local folder, the backups volume of another server, or off-site copies. */
export type DataOrigin =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "volume"; readonly volume: string }
  | { readonly kind: "offsite" };

const stacks = Object.keys(stackKinds);

/** Parses `data.from`: `server:prod`, `volume:<name>`, `offsite`, or a folder. `problem` is a sentence to follow the key. */
export function parseOrigin(text: string, namePrefix: string): DataOrigin | { problem: string } {
  if (text === "offsite") return { kind: "offsite" };
  const [, scheme, rest = ""] = /^(server|volume):(.*)$/.exec(text) ?? [];
  if (scheme === undefined) return { kind: "folder", path: text };
  if (scheme === "volume") {
    if (/^[a-zA-Z0-9][\w.-]+$/.test(rest)) return { kind: "volume", volume: rest };
    return { problem: `must name a volume of the engine after "volume:", got "${text}"` };
  }
  if (stacks.includes(rest)) {
    return { kind: "volume", volume: engineNames(namePrefix, rest).backupsVolume };
  }
  return { problem: `must name a server after "server:" (${stacks.join(", ")}), got "${text}"` };
}

/** The repository that `data` refers to, as stamped on restored databases; `undefined` if it refers to a dump. */
export function repositoryOf(
  { from = "", offsite }: Partial<StackFileConfig["data"]>,
  namePrefix: string,
): string | undefined {
  const origin = parseOrigin(from, namePrefix);
  if ("problem" in origin || origin.kind === "folder") return undefined;
  if (origin.kind === "volume") return origin.volume;
  return offsite && offsiteRepository(offsite);
}
