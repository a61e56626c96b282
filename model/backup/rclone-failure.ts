/** Known errors of rclone, with an explanation and the fix. The first match counts. */
const failures: readonly (readonly [RegExp, string])[] = [
  [
    /knownhosts: key mismatch/i,
    "its host key differs from options.known_hosts; if it is still the same host, set known_hosts to the output of ssh-keyscan",
  ],
  [
    /knownhosts: key is unknown/i,
    "its host key is not in options.known_hosts; set known_hosts to the output of ssh-keyscan",
  ],
  [
    /unable to authenticate|ssh: no key found|private key|530 Login|401 Unauthorized/i,
    "authentication failed; correct user, key or password in backups.offsite.options",
  ],
  [
    /SignatureDoesNotMatch|InvalidAccessKeyId|InvalidToken|ExpiredToken/i,
    "it rejects the key; correct access_key_id and secret_access_key in backups.offsite.options",
  ],
  [
    /AccessDenied|permission denied|Forbidden|status code: 403/i,
    "access denied; grant read and write access, or correct the path in backups.offsite.remote",
  ],
  [
    /no space left|QuotaExceeded|quota|insufficient storage|disk full|status code: 507/i,
    "no space left on the remote; free space, or keep fewer copies",
  ],
  [
    // SFTP has no status code for a disk that is full or read-only.
    /SSH_FX_FAILURE/,
    "the operation failed, which SFTP servers also report if their disk is full or read-only; free space there, or read its log",
  ],
  [
    /InternalError/,
    "the operation failed; read its log, and check whether its disk is full or read-only",
  ],
  [
    /no such host|server misbehaving|name resolution/i,
    "host not found; correct the host name in backups.offsite.options",
  ],
  [
    /connection refused/i,
    "connection refused; start the service on that host, or correct host and port in backups.offsite.options",
  ],
  [
    /i\/o timeout|timeout awaiting response|deadline exceeded|network is unreachable|no route to host|TLS handshake timeout/i,
    "no response; correct the address, or allow the connection in the firewall",
  ],
  [/NoSuchBucket/i, "the bucket does not exist; create it, or correct backups.offsite.remote"],
  [
    /connection reset|broken pipe|connection lost|unexpected EOF|use of closed network/i,
    "the connection was lost; the next job retries",
  ],
];

/** Whether a remote rejected an operation because it is not allowed there, as append-only remotes and locked objects do. */
export function isDenial(stderr: string): boolean {
  return /AccessDenied|permission denied|SSH_FX_PERMISSION_DENIED|SSH_FX_OP_UNSUPPORTED|Operation not permitted|Forbidden|MethodNotAllowed|NotImplemented|ObjectLocked|InvalidObjectState|object is WORM|retention (?:period|policy)|status code: 40[35]|HTTP error 40[35]/i.test(
    stderr,
  );
}

/** Why rclone failed, in one line with the fix; rclone's last message if the error is not known. */
export function rcloneFailure(stderr: string): string {
  const known = failures.find(([pattern]) => pattern.test(stderr));
  const message = lastMessage(stderr);
  return known ? `${known[1]} (${message})` : message;
}

/** rclone's last message, without its timestamp and the number of attempts. */
function lastMessage(stderr: string): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d (?:[A-Z]+ *: )?/, "").trim())
    .filter((line) => line !== "" && !/^status code: |^\[?\]?$/.test(line));
  const cause = lines.findLast((line) => line.startsWith("caused by: ")) ?? lines.at(-1);
  return (cause ?? "rclone failed without a message")
    .replace(/^caused by: |^Failed to \w+ with \d+ errors: last error was: /, "")
    .slice(0, 300);
}
