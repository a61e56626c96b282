import { nearest } from "../base/nearest";
import { parseRemote, type OffsiteRemote } from "./offsite-config";

/** A backend as `rclone config providers` describes it. */
export interface Backend {
  readonly name: string;
  readonly options: readonly { readonly name: string; readonly isPassword: boolean }[];
}

/** Name of the remote in rclone's configuration file. */
export const remoteName = "offsite";

/** An option of Stagecraft's own: the lines of the file that rclone's `known_hosts_file` names. */
const knownHosts = "known_hosts";

/** Default options by backend. */
const defaults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // Many SFTP servers provide no shell, and Stagecraft needs none.
  sftp: { shell_type: "none" },
};

/** Why the installed rclone cannot use a remote; complete sentences without option values. */
export function remoteProblems(
  { remote, options }: Pick<OffsiteRemote, "remote" | "options">,
  backends: readonly Backend[],
): string[] {
  const requested = parseRemote(remote)?.backend ?? "";
  const backend = backends.find(({ name }) => name === requested);
  if (!backend) {
    const suggestion = nearest(
      requested,
      backends.map(({ name }) => name),
    );
    const fix = suggestion === undefined ? "it has" : `did you mean ${suggestion}? It has`;
    return [
      `backups.offsite.remote: rclone has no backend "${requested}"; ${fix} ${backends.map(({ name }) => name).join(", ")}`,
    ];
  }
  const known = backend.options.map(({ name }) => name);
  return Object.keys(options)
    .filter((name) => !known.includes(name) && !(requested === "sftp" && name === knownHosts))
    .map((name) => {
      const suggestion = nearest(name, known);
      const fix =
        suggestion === undefined
          ? `see https://rclone.org/${requested}/`
          : `did you mean ${suggestion}?`;
      return `backups.offsite.options.${name}: rclone's backend ${requested} has no such option; ${fix}`;
    });
}

/** The options whose values must be obscured in rclone's configuration file. */
export function passwordsAmong(options: OffsiteRemote["options"], backend: Backend): string[] {
  const passwords = backend.options.filter(({ isPassword }) => isPassword);
  return Object.keys(options).filter((name) =>
    passwords.some((password) => password.name === name),
  );
}

/** rclone's configuration file; passwords in `options` must already be obscured. */
export function renderRcloneConfig(
  { remote, options }: Pick<OffsiteRemote, "remote" | "options">,
  knownHostsFile: string,
): string {
  const { backend } = parseRemote(remote) ?? { backend: "" };
  const { [knownHosts]: hosts, ...given } = options;
  const all = {
    ...defaults[backend],
    ...(hosts !== undefined && { known_hosts_file: knownHostsFile }),
    ...given,
  };
  // rclone requires the line breaks of a key as \n.
  const lines = Object.entries(all).map(
    ([name, value]) => `${name} = ${value.trim().replaceAll("\n", "\\n")}`,
  );
  return [`[${remoteName}]`, `type = ${backend}`, ...lines, ""].join("\n");
}
