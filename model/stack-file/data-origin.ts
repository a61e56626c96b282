import { engineNames } from "../base/engine-names";
import type { StackFileConfig } from "./schema";
import { stackKinds } from "../base/names";
import { offsiteRepository } from "../restore/offsite-source";

/** Where backups are taken from: a folder of this machine, the volume that another server keeps its backups in, or off-site copies. */
export type DataOrigin =
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "volume"; readonly volume: string }
  | { readonly kind: "offsite" };

const stacks = Object.keys(stackKinds);

/** Reads `data.from`: `server:prod`, `volume:<name>`, `offsite`, or a folder; `{ problem }` is the sentence that follows the key. */
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

/** The place of backups that a stack's `data` leads to, as it is stamped on what is made of them; `undefined` where it names a dump. */
export function repositoryOf(
  { from = "", offsite }: Partial<StackFileConfig["data"]>,
  namePrefix: string,
): string | undefined {
  const origin = parseOrigin(from, namePrefix);
  if ("problem" in origin || origin.kind === "folder") return undefined;
  if (origin.kind === "volume") return origin.volume;
  return offsite && offsiteRepository(offsite);
}
