/** What rclone says, and what it means to a person with the fix. The first that fits is told. */
const failures: readonly (readonly [RegExp, string])[] = [
  [
    /knownhosts: key mismatch/i,
    "it shows another host key than options.known_hosts has; if it is still the same machine, take all that ssh-keyscan prints",
  ],
  [
    /knownhosts: key is unknown/i,
    "its host key is not among options.known_hosts; take all that ssh-keyscan prints",
  ],
  [
    /unable to authenticate|ssh: no key found|private key|530 Login|401 Unauthorized/i,
    "it does not let this server in; correct user, key or password in backups.offsite.options",
  ],
  [
    /SignatureDoesNotMatch|InvalidAccessKeyId|InvalidToken|ExpiredToken/i,
    "it refuses the key; correct access_key_id and secret_access_key in backups.offsite.options",
  ],
  [
    /AccessDenied|permission denied|Forbidden|status code: 403/i,
    "this server may not write or read there; give it the right, or correct the path of backups.offsite.remote",
  ],
  [
    /no space left|QuotaExceeded|quota|insufficient storage|disk full|507/i,
    "there is no space left there; make room, or keep fewer copies",
  ],
  [
    // SFTP has no word of its own for a disk that is full or read-only.
    /SSH_FX_FAILURE/,
    "it failed at what it was asked for, as a server of SFTP does when its disk is full or read-only; make room there, or read its log",
  ],
  [
    /InternalError/,
    "it failed at what it was asked for; read its log, and see whether its disk is full or read-only",
  ],
  [
    /no such host|server misbehaving|name resolution/i,
    "there is no machine of that name; correct backups.offsite.options",
  ],
  [
    /connection refused/i,
    "nothing answers at that address; start it there, or correct backups.offsite.options",
  ],
  [
    /i\/o timeout|timeout awaiting response|deadline exceeded|network is unreachable|no route to host|TLS handshake timeout/i,
    "no answer; correct the address, or open the way to it in the firewall",
  ],
  [/NoSuchBucket/i, "there is no such bucket; make it, or correct backups.offsite.remote"],
  [
    /connection reset|broken pipe|connection lost|unexpected EOF|use of closed network/i,
    "the connection was cut; the next job tries again",
  ],
];

/** Why rclone failed, in one line with the fix; its own last words where they are not known. */
export function rcloneFailure(stderr: string): string {
  const known = failures.find(([pattern]) => pattern.test(stderr));
  const said = lastWords(stderr);
  return known ? `${known[1]} (${said})` : said;
}

/** rclone's last message, without its moment and the count of attempts. */
function lastWords(stderr: string): string {
  const lines = stderr
    .split("\n")
    .map((line) => line.replace(/^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d (?:[A-Z]+ *: )?/, "").trim())
    .filter((line) => line !== "" && !/^status code: |^\[?\]?$/.test(line));
  const cause = lines.findLast((line) => line.startsWith("caused by: ")) ?? lines.at(-1);
  return (cause ?? "rclone failed without a word")
    .replace(/^caused by: |^Failed to \w+ with \d+ errors: last error was: /, "")
    .slice(0, 300);
}
