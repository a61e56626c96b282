import { parseBackupId, type BackupId } from "../base/names";
import { parseRemote, type OffsiteConfig } from "./offsite-config";

/** File name of a backup's off-site copy, in the folder of its server. */
export function copyName(id: BackupId): string {
  return `${id}.tar.age`;
}

/** File name of a copy until its upload is complete and checked. */
export function partialCopyName(id: BackupId): string {
  return `${copyName(id)}.partial`;
}

/** The id of the backup a file is a copy of; `undefined` for any other file, including incomplete copies. */
export function parseCopyName(name: string): BackupId | undefined {
  const id = /^([^.]+)\.tar\.age$/.exec(name)?.[1];
  return id !== undefined && parseBackupId(id) ? id : undefined;
}

/** Remote and path of a server's file in rclone's notation: `s3:bucket/folder/prod/20261121T032900Z.tar.age`. */
export function remotePathText(
  { remote }: Pick<OffsiteConfig, "remote">,
  server: string,
  name = "",
): string {
  const { backend, path } = parseRemote(remote) ?? { backend: remote, path: "" };
  return `${backend}:${joinPath(path, server, name)}`;
}

/** Joins the parts of a remote path, skipping empty ones. */
export function joinPath(...parts: readonly string[]): string {
  return parts.filter((part) => part !== "").join("/");
}

/** A file on the remote. */
export interface RemoteFile {
  readonly name: string;
  readonly bytes: number;
}

/** A complete off-site copy. */
export interface RemoteCopy {
  readonly id: BackupId;
  readonly bytes: number;
}

/** The complete copies among the files of a remote folder, oldest first. */
export function completeCopies(files: readonly RemoteFile[]): RemoteCopy[] {
  const copies = files.flatMap(({ name, bytes }) => {
    const id = parseCopyName(name);
    return id === undefined ? [] : [{ id, bytes }];
  });
  return copies.sort((a, b) => (a.id < b.id ? -1 : 1));
}
