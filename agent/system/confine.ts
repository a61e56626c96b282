import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import type { Command } from "./run-program";

/** What a confined program may use besides the programs and libraries of the image. */
export interface Confines {
  /** Folders to read, and files. A folder ends in `/`. */
  readonly reads: readonly string[];
  /** Folders to read and write. */
  readonly writes: readonly string[];
}

/** Access rights of Landlock by kernel version, newest first. Linux's documentation, "Landlock: unprivileged access control". */
const accessRights = [
  // Linux 6.2
  ["make-char", "make-block", "refer", "truncate"],
  // Linux 5.13
  ["make-char", "make-block"],
] as const;

const readRights = ["read-file", "read-dir"];
const writeRights = [
  ...["write-file", "remove-dir", "remove-file"],
  ...["make-dir", "make-reg", "make-sock", "make-fifo", "make-sym"],
];

/** Folders of the image that every program needs; links such as `/lib` lead into `/usr`. They have no secrets. */
const imageFolders = ["/usr", "/etc"];

/** Files outside of them. */
const devices = ["/dev/null", "/dev/zero", "/dev/urandom"];

/** The newest access rights that the kernel supports; `null` without Landlock, `undefined` until the first use. */
let supported: readonly string[] | null | undefined;

/**
 * A command that runs a program on data that others have written, e.g. PostgreSQL's superuser: the program, and whatever it
 * starts, can use no other files than these. In particular not the agent's keys and backups, whatever a path, a symbolic
 * link or a parameter in that data says. Without Landlock (before Linux 5.13) the program runs unconfined.
 */
export function confine({ reads, writes }: Confines, command: Command): Command {
  const known = accessRightsHere();
  if (known === null) return command;
  const handled = [...readRights, ...writeRights, "execute", ...known];
  const changes = known.filter((right) => right === "refer" || right === "truncate");
  const rule = (rights: readonly string[], folder: string): string[] =>
    existsSync(folder) ? ["--landlock-rule", `path-beneath:${rights.join(",")}:${folder}`] : [];
  return [
    ...(["setpriv", "--no-new-privs", "--landlock-access", `fs:${handled.join(",")}`] as const),
    ...imageFolders.flatMap((folder) => rule([...readRights, "execute"], folder)),
    ...devices.flatMap((file) => rule(["read-file", "write-file"], file)),
    ...reads.flatMap((path) => rule(path.endsWith("/") ? readRights : ["read-file"], path)),
    ...writes.flatMap((folder) => rule([...readRights, ...writeRights, ...changes], folder)),
    "--",
    ...command,
  ];
}

/** Whether {@link confine} confines: the kernel has Landlock, and the engine lets containers use it. */
export function canConfine(): boolean {
  return accessRightsHere() !== null;
}

function accessRightsHere(): readonly string[] | null {
  if (supported === undefined) supported = probeRights();
  return supported;
}

function probeRights(): readonly string[] | null {
  for (const rights of accessRights) {
    const access = `fs:${[...readRights, ...writeRights, "execute", ...rights].join(",")}`;
    const rule = "path-beneath:read-file,read-dir,execute:/";
    const args = ["--no-new-privs", "--landlock-access", access, "--landlock-rule", rule];
    if (spawnSync("setpriv", [...args, "true"]).status === 0) return rights;
  }
  return null;
}
