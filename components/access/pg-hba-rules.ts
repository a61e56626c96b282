import * as pulumi from "@pulumi/pulumi";
import type { Observation } from "../../model/observation/observation";
import { accessText } from "../../model/pg-hba/judge/access-text";
import { findingsOf, formatFinding } from "../../model/pg-hba/judge/findings";
import { type FindingContext } from "../../model/pg-hba/judge/finding";
import { type RequiredAccess } from "../../model/pg-hba/judge/finding";
import { type PgHbaFinding } from "../../model/pg-hba/judge/finding";
import { isEditedManually } from "../../model/pg-hba/text/managed-file";
import { parsePgHba } from "../../model/pg-hba/text/parse";
import { describeRule, formatRule } from "../../model/pg-hba/text/render";
import type { PgHbaRule } from "../../model/pg-hba/rule/rule";
import { accessScope } from "../../model/pg-hba/judge/scope";
import { sha256 } from "../engine/digest";
import type { ObservedState } from "../engine/server-state";
import { UserError } from "../engine/user-error";

/** Holds rules against what they must do: raises one error with all that is wrong, and gives what may be better. */
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

/** Whether a rule holds a secret, such as the password for an LDAP server. */
export function containsSecret(rules: readonly PgHbaRule[]): boolean {
  return rules.some((rule) => describeRule(rule) !== formatRule(rule));
}

/** Rules that are wanted on a server. */
export interface WantedRules {
  readonly server: { readonly server: string; readonly observed: Promise<ObservedState> };
  readonly rules: readonly PgHbaRule[];
  /** The whole file that they make. */
  readonly text: string;
  readonly findings: readonly PgHbaFinding[];
  /** Connections that must work. */
  readonly required: readonly RequiredAccess[];
  readonly database: string;
  /** The network that the application connects from. */
  readonly application: string;
  /** What somebody has to do, where the file is not ours to write. @default it is ours */
  readonly handOver?: ((seen: Observation) => string) | undefined;
}

/** Says at preview what may be better about rules and, when others are in place, who gains and who loses access by them. */
export function logAccessChange(component: pulumi.Resource, wanted: WantedRules): void {
  const { server, rules, text, findings, required, database, application, handOver } = wanted;
  const tell = (seen: Observation): void => {
    const { pgHba, connection } = seen;
    if (pgHba.sha256 === sha256(text)) return;
    if (handOver) void pulumi.log.info(handOver(seen), component);
    else if (isEditedManually(pgHba.text, sha256)) {
      const edited = `pg_hba.conf of ${server.server} was edited by hand; up takes that back`;
      void pulumi.log.warn(edited, component);
    }
    const before = parsePgHba(pgHba.text).rules;
    // The agent's networks are the server's only where it is beside it.
    const interfaces = connection ? [] : seen.interfaces;
    const scope = accessScope({ database, application, rules, required, interfaces });
    void pulumi.log.info(accessText(server.server, before, rules, scope), component);
  };
  void server.observed.then(({ observation }) => {
    for (const finding of findings) void pulumi.log.warn(formatFinding(finding), component);
    if (observation) tell(observation);
  });
}
