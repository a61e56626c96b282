import type { RequiredConnection } from "../../../model/pg-hba/rule/protocol";

/** A required connection that the active rules do not accept as required. */
export interface LockedOut {
  readonly connection: RequiredConnection;
  /** Result of the attempt, with PostgreSQL's message if there is one. */
  readonly reason: string;
  readonly fix: string;
}

/** Message about rules that were rolled back. */
export function rolledBackText(server: string, lockedOut: readonly LockedOut[]): string {
  return [
    `pg_hba of ${server} was not changed: ${countText(lockedOut)} would be locked out`,
    ...lines(lockedOut),
    "The previous rules are active.",
  ].join("\n");
}

/** Message about active rules without previous rules to roll back to. */
export function lockedOutText(server: string, lockedOut: readonly LockedOut[]): string {
  const are = lockedOut.length === 1 ? "is" : "are";
  return [
    `pg_hba of ${server} is up to date, but ${countText(lockedOut)} ${are} locked out`,
    ...lines(lockedOut),
  ].join("\n");
}

function countText({ length }: readonly LockedOut[]): string {
  return length === 1 ? "a required connection" : `${length} required connections`;
}

const transports = { socket: "the socket", tls: "TLS", plain: "the network without TLS" } as const;

function lines(lockedOut: readonly LockedOut[]): string[] {
  return lockedOut.flatMap(({ connection: { name, user, database, over }, reason, fix }) => [
    `  ${name}   ${user} to ${database} over ${transports[over]}`,
    `    ${reason}`,
    `    fix: ${fix}`,
  ]);
}
