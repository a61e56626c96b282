import { quoteIdentifier as q } from "../base/sql";
import { formatAddress } from "./address";

/** The oldest and newest major versions of a server that is not the agent's own. */
export const supportedMajors = { oldest: 16, newest: 18 } as const;

/** What was found out about a server and the role that the agent is there. */
export interface FoundServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** `server_version_num`, e.g. 170011. */
  readonly version: number;
  readonly isSuperuser: boolean;
  /** Whether it follows another server, and so takes no changes. */
  readonly isStandby: boolean;
}

/** The major version of `server_version_num`. */
export function majorOf(version: number): number {
  const first = Math.floor(version / 10_000);
  // Until 9.6 the first two numbers were the major version.
  return first >= 10 ? first : Number(`${first}.${Math.floor(version / 100) % 100}`);
}

/** Why a server cannot be looked after, in one sentence with the fix; `undefined` when it can. */
export function fitnessProblem({
  version,
  isSuperuser,
  isStandby,
  ...to
}: FoundServer): string | undefined {
  const server = `PostgreSQL at ${formatAddress(to)}`;
  const { oldest, newest } = supportedMajors;
  const major = majorOf(version);
  if (major < oldest)
    return `${server} is version ${major}; Stagecraft needs ${oldest} to ${newest}, because older ones cannot make memberships that do not inherit; upgrade it`;
  if (major > newest)
    return `${server} is version ${major}; this Stagecraft knows ${oldest} to ${newest}; use a newer Stagecraft`;
  if (!isSuperuser)
    return `${to.user} is no superuser of ${server}: it lacks the attribute SUPERUSER; give it with: ALTER ROLE ${q(to.user)} SUPERUSER`;
  if (isStandby)
    return `${server} is a standby, which takes no changes; give the address of its primary`;
  return undefined;
}
