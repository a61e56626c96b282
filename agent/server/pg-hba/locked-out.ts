import type { RequiredConnection } from "../../../model/pg-hba/rule/protocol";

/** A required connection that the rules in force do not let in as they should. */
export interface LockedOut {
  readonly connection: RequiredConnection;
  /** What became of it, in PostgreSQL's words where it said any. */
  readonly reason: string;
  readonly fix: string;
}

/** Tells of rules that were taken back. */
export function rolledBackText(server: string, lockedOut: readonly LockedOut[]): string {
  return [
    `pg_hba of ${server} was not changed: ${countText(lockedOut)} would be locked out`,
    ...lines(lockedOut),
    "The rules from before are in force.",
  ].join("\n");
}

/** Tells of rules that are in force, and for which there is nothing to go back to. */
export function lockedOutText(server: string, lockedOut: readonly LockedOut[]): string {
  const are = lockedOut.length === 1 ? "is" : "are";
  return [
    `pg_hba of ${server} is as wanted, but ${countText(lockedOut)} ${are} locked out`,
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
