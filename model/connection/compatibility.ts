import { quoteIdentifier as q } from "../base/sql";
import { formatAddress } from "./address";

/** The supported major versions of an external server. */
export const supportedMajors = { oldest: 16, newest: 18 } as const;

/** Properties of an external server and of the role that the agent connects as. */
export interface ExternalServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** `server_version_num`, e.g. 170011. */
  readonly version: number;
  readonly isSuperuser: boolean;
  /** Whether it is a standby, which is read-only. */
  readonly isStandby: boolean;
}

/** The major version of `server_version_num`. */
export function majorVersion(version: number): number {
  const first = Math.floor(version / 10_000);
  // Up to 9.6, the first two numbers are the major version.
  return first >= 10 ? first : Number(`${first}.${Math.floor(version / 100) % 100}`);
}

/** Why Stagecraft cannot manage an external server, in one sentence with the fix; `undefined` when it can. */
export function compatibilityProblem({
  version,
  isSuperuser,
  isStandby,
  ...to
}: ExternalServer): string | undefined {
  const server = `PostgreSQL at ${formatAddress(to)}`;
  const { oldest, newest } = supportedMajors;
  const major = majorVersion(version);
  if (major < oldest)
    return `${server} is version ${major}; Stagecraft needs ${oldest} to ${newest}, because older versions lack GRANT ... WITH INHERIT FALSE; upgrade it`;
  if (major > newest)
    return `${server} is version ${major}; this Stagecraft supports ${oldest} to ${newest}; upgrade Stagecraft`;
  if (!isSuperuser)
    return `${to.user} is not a superuser of ${server}; make it one with: ALTER ROLE ${q(to.user)} SUPERUSER`;
  if (isStandby)
    return `${server} is a standby, which is read-only; use the address of its primary`;
  return undefined;
}
