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
import { accessScope } from "../../model/pg-hba/judge/access-scope";
import { sha256 } from "../engine/digest";
import type { ObservedState } from "../engine/server-state";
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

/** Whether a rule contains a secret, such as the password of an LDAP server. */
export function containsSecret(rules: readonly PgHbaRule[]): boolean {
  return rules.some((rule) => describeRule(rule) !== formatRule(rule));
}

/** The declared rules of a server. */
export interface DeclaredRules {
  readonly server: { readonly server: string; readonly observed: Promise<ObservedState> };
  readonly rules: readonly PgHbaRule[];
  /** The whole file. */
  readonly text: string;
  readonly findings: readonly PgHbaFinding[];
  /** Connections that must work. */
  readonly required: readonly RequiredAccess[];
  readonly database: string;
  /** The network that the application connects from. */
  readonly application: string;
  /** What the administrator has to do, where Stagecraft cannot write the file. @default Stagecraft writes it */
  readonly manualSteps?: ((seen: Observation) => string) | undefined;
}

/** Logs at preview the findings about rules and, when the rules change, who gains and who loses access. */
export function logAccessChange(component: pulumi.Resource, declared: DeclaredRules): void {
  const { server, rules, text, findings, required, database, application, manualSteps } = declared;
  const logChange = (seen: Observation): void => {
    const { pgHba, connection } = seen;
    if (pgHba.sha256 === sha256(text)) return;
    if (manualSteps) void pulumi.log.info(manualSteps(seen), component);
    else if (isEditedManually(pgHba.text, sha256)) {
      const edited = `pg_hba.conf of ${server.server} was edited manually; the next up overwrites the change`;
      void pulumi.log.warn(edited, component);
    }
    const before = parsePgHba(pgHba.text).rules;
    // The agent and the server share networks only when they run side by side.
    const interfaces = connection ? [] : seen.interfaces;
    const scope = accessScope({ database, application, rules, required, interfaces });
    void pulumi.log.info(accessText(server.server, before, rules, scope), component);
  };
  void server.observed.then(({ observation }) => {
    for (const finding of findings) void pulumi.log.warn(formatFinding(finding), component);
    if (observation) logChange(observation);
  });
}
