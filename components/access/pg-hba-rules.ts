import * as pulumi from "@pulumi/pulumi";
import type { Observation } from "../../model/observation/observation";
import { accessText } from "../../model/pg-hba/judge/access-text";
import { findingsOf, formatFinding } from "../../model/pg-hba/judge/findings";
import { type FindingContext } from "../../model/pg-hba/judge/finding";
import { type RequiredAccess } from "../../model/pg-hba/judge/finding";
import { type PgHbaFinding } from "../../model/pg-hba/judge/finding";
import { isEditedManually } from "../../model/pg-hba/text/managed-file";
import { rulesOnServer } from "../../model/pg-hba/text/rules-on-server";
import { describeRule, formatRule } from "../../model/pg-hba/text/render";
import type { PgHbaRule } from "../../model/pg-hba/rule/rule";
import type { ServerKind } from "../../model/base/names";
import { peopleAccess } from "../../model/roles/people-access";
import type { People } from "../../model/roles/people";
import { accessScope } from "../../model/pg-hba/judge/access-scope";
import { sha256 } from "../engine/digest";
import type { ObservedState } from "../engine/server-state";
import { areMapsUpToDate, effectiveMaps, formatMap, readMap } from "../../model/pg-hba/text/maps";
import { UserError } from "../engine/user-error";

/** Checks rules against what they must allow. Raises one {@link UserError} with all errors; returns the other findings. */
export function checkRules(
  what: string,
  rules: readonly PgHbaRule[],
  circumstances: FindingContext,
): readonly PgHbaFinding[] {
  const findings = findingsOf(rules, circumstances);
  const errors = findings.filter(({ severity }) => severity === "error");
  if (errors.length === 0) return findings;
  throw new UserError(errors.map((finding) => `${what}: ${formatFinding(finding)}`).join("\n"));
}

/** Checks lines of `pg_ident.conf`. Raises one {@link UserError} with all errors. */
export function checkMaps(what: string, maps: readonly string[]): void {
  const errors = maps.map(readMap).flatMap((read) => ("severity" in read ? [read.text] : []));
  if (errors.length > 0)
    throw new UserError(errors.map((text) => `${what}: maps: ${text}`).join("\n"));
}

/** Whether a rule contains a secret, such as the password of an LDAP server. */
export function containsSecret(rules: readonly PgHbaRule[]): boolean {
  return rules.some((rule) => describeRule(rule) !== formatRule(rule));
}

/** The declared rules of a server. */
export interface DeclaredRules {
  readonly server: {
    readonly server: string;
    readonly kind: ServerKind;
    readonly observed: Promise<ObservedState>;
  };
  /** Users of the server. @default none */
  readonly people?: People;
  readonly rules: readonly PgHbaRule[];
  /** The whole file. */
  readonly text: string;
  readonly findings: readonly PgHbaFinding[];
  /** Connections that must work. */
  readonly required: readonly RequiredAccess[];
  readonly database: string;
  /** The network that the application connects from. */
  readonly application: string;
  /** The lines of `pg_ident.conf`. @default that file is not managed */
  readonly maps?: readonly string[] | undefined;
  /** What the administrator has to do, where Stagecraft cannot write the file. @default Stagecraft writes it */
  readonly manualSteps?: ((seen: Observation) => string) | undefined;
}

/** Logs at preview the findings about rules and, when the rules change, who gains and who loses access. */
export function logAccessChange(component: pulumi.Resource, declared: DeclaredRules): void {
  const { server, rules, text, findings, required, database, application, manualSteps } = declared;
  const { people = {} } = declared;
  const logMaps = ({ pgHba }: Observation): void => {
    const change = mapsChange(server.server, pgHba.maps, declared.maps);
    if (change !== undefined) void pulumi.log.warn(change, component);
  };
  const logChange = (seen: Observation): void => {
    const { pgHba, connection } = seen;
    if (pgHba.sha256 === sha256(text) && pgHba.loaded === false) {
      const stale = `PostgreSQL of ${server.server} has not read pg_hba.conf since the file was changed, and may use other rules; the next up reloads it`;
      void pulumi.log.warn(stale, component);
    }
    if (pgHba.sha256 === sha256(text)) return;
    if (manualSteps) void pulumi.log.info(manualSteps(seen), component);
    else if (isEditedManually(pgHba.text, sha256)) {
      const edited = `pg_hba.conf of ${server.server} was edited manually; the next up overwrites the change`;
      void pulumi.log.warn(edited, component);
    }
    const before = rulesOnServer(pgHba, seen.postgresVersion);
    // The agent and the server share networks only when they run side by side.
    const interfaces = connection ? [] : seen.interfaces;
    const scope = accessScope({
      ...{ database, application, rules, before, required, interfaces },
      people: peopleAccess(server.kind, database, people),
    });
    void pulumi.log.info(accessText(server.server, before, rules, scope), component);
  };
  void server.observed.then(({ observation }) => {
    for (const finding of findings) void pulumi.log.warn(formatFinding(finding), component);
    if (!observation) return;
    logChange(observation);
    logMaps(observation);
  });
}

/** What the next `up` changes in `pg_ident.conf`; `undefined` for nothing. */
function mapsChange(
  server: string,
  file: string | undefined,
  declared: readonly string[] | undefined,
): string | undefined {
  if (file === undefined || declared === undefined || areMapsUpToDate(file, declared))
    return undefined;
  const [before, after] = [effectiveMaps(file), declared.map(formatMap)];
  const added = after.filter((line) => !before.includes(line));
  const removed = before.filter((line) => !after.includes(line));
  const parts = [
    ...removed.map((line) => `removes "${line}"`),
    ...added.map((line) => `adds "${line}"`),
    ...(added.length + removed.length === 0 ? ["restores the order of the lines"] : []),
  ];
  return `pg_ident.conf of ${server} differs from pgHba.maps; up ${parts.join(", ")}`;
}
