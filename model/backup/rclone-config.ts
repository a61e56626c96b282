import { nearest } from "../base/nearest";
import { parseRemote, type OffsitePlace } from "./offsite";

/** What `rclone config providers` tells of one back end. */
export interface Backend {
  readonly name: string;
  readonly options: readonly { readonly name: string; readonly isPassword: boolean }[];
}

/** The name that the remote has in rclone's file of settings. */
export const remoteName = "offsite";

/** One of Stagecraft's own, beside those of rclone: the lines that rclone wants in a file. */
const knownHosts = "known_hosts";

/** Settings that suit every server, where the stack says nothing else. */
const defaults: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // Many servers of files give no shell, and nothing of what is asked there needs one.
  sftp: { shell_type: "none" },
};

/** What this rclone cannot do with a remote; whole sentences, without any value. */
export function remoteProblems(
  { remote, options }: Pick<OffsitePlace, "remote" | "options">,
  backends: readonly Backend[],
): string[] {
  const wanted = parseRemote(remote)?.backend ?? "";
  const backend = backends.find(({ name }) => name === wanted);
  if (!backend) {
    const meant = nearest(
      wanted,
      backends.map(({ name }) => name),
    );
    const fix = meant === undefined ? "there are" : `did you mean ${meant}? There are`;
    return [
      `backups.offsite.remote: rclone knows no back end "${wanted}"; ${fix} ${backends.map(({ name }) => name).join(", ")}`,
    ];
  }
  const known = backend.options.map(({ name }) => name);
  return Object.keys(options)
    .filter((name) => !known.includes(name) && !(wanted === "sftp" && name === knownHosts))
    .map((name) => {
      const meant = nearest(name, known);
      const fix =
        meant === undefined ? `see https://rclone.org/${wanted}/` : `did you mean ${meant}?`;
      return `backups.offsite.options.${name}: rclone's back end ${wanted} has no such option; ${fix}`;
    });
}

/** The options whose values rclone wants obscured in its file. */
export function passwordsAmong(options: OffsitePlace["options"], backend: Backend): string[] {
  const passwords = backend.options.filter(({ isPassword }) => isPassword);
  return Object.keys(options).filter((name) =>
    passwords.some((password) => password.name === name),
  );
}

/** rclone's file of settings; `options` with passwords obscured already. */
export function renderRcloneConfig(
  { remote, options }: Pick<OffsitePlace, "remote" | "options">,
  knownHostsFile: string,
): string {
  const { backend } = parseRemote(remote) ?? { backend: "" };
  const { [knownHosts]: hosts, ...given } = options;
  const all = {
    ...defaults[backend],
    ...(hosts !== undefined && { known_hosts_file: knownHostsFile }),
    ...given,
  };
  // A key has lines, which rclone wants as \n on one.
  const lines = Object.entries(all).map(
    ([name, value]) => `${name} = ${value.trim().replaceAll("\n", "\\n")}`,
  );
  return [`[${remoteName}]`, `type = ${backend}`, ...lines, ""].join("\n");
}
