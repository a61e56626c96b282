import * as pulumi from "@pulumi/pulumi";
import type { Observation } from "../../model/observation/observation";
import { externalRequired, externalRules } from "../../model/pg-hba/judge/external-rules";
import { findingsOf, formatFinding } from "../../model/pg-hba/judge/findings";
import { whoCan } from "../../model/pg-hba/rule/evaluate";
import type { RequiredAccess } from "../../model/pg-hba/judge/finding";
import { renderManagedFile } from "../../model/pg-hba/text/managed-file";
import type { RequiredConnection } from "../../model/pg-hba/rule/protocol";
import { describeRule } from "../../model/pg-hba/text/render";
import { ownNetwork } from "../../model/pg-hba/judge/required-access";
import type { PgHbaRule } from "../../model/pg-hba/rule/rule";
import type { AgentRef } from "../engine/server-ref";
import { sha256 } from "../engine/digest";
import type { PgHbaChoice } from "./pg-hba";
import { checkRules, containsSecret, logAccessChange } from "./pg-hba-rules";
import { remotePgHba } from "./remote-pg-hba";
import type { SshArgs } from "./ssh";

/** Access rules of an external PostgreSQL server. */
export interface ExternalPgHbaChoice extends Omit<PgHbaChoice, "maps" | "readonly" | "monitoring"> {
  /** The network that the agent connects from, as the server sees it, e.g. `"192.0.2.7/32"`. @default "samenet", the networks of the server's machine */
  readonly agent?: string | undefined;
}

/** The newest major version of PostgreSQL that is supported. */
const newestVersion = 18;

/** Arguments of {@link ExternalPgHba}. */
export interface ExternalPgHbaArgs extends ExternalPgHbaChoice {
  /** The server it is for. */
  readonly server: AgentRef;
  /** The superuser that the agent connects as. */
  readonly superuser: string;
  /** Whether the agent connects over TLS. */
  readonly tls: boolean;
  /** The database that the application uses. */
  readonly database: string;
  /** What must exist before the rules are applied. */
  readonly after: pulumi.Resource;
  /** How to reach the machine. @default the file is only shown, not written */
  readonly ssh?: SshArgs | undefined;
}

/**
 * The `pg_hba.conf` of an external PostgreSQL server. With SSH the file is applied on its machine. Without SSH the text is an
 * output for the administrator of that machine, and the preview says where to put it.
 */
export class ExternalPgHba extends pulumi.ComponentResource {
  /** The whole file; a secret when a rule holds one. */
  readonly text: pulumi.Output<string>;

  constructor(name: string, args: ExternalPgHbaArgs, opts?: pulumi.ComponentResourceOptions) {
    const { server, database, superuser, tls, ssh, after } = args;
    const { application = ownNetwork, agent = ownNetwork } = args;
    const { kind } = server;
    const access = { kind, superuser, agent, tls, database, application };
    const rules = args.rules ?? externalRules(access);
    // Shown at preview when they change.
    super("stagecraft:index:ExternalPgHba", name, { rules: rules.map(describeRule) }, opts);

    const required = externalRequired(access);
    const what = `ExternalPgHba "${name}"`;
    // Its version is known once the agent has connected; the agent lets PostgreSQL itself judge the file in any case.
    const findings = checkRules(what, rules, { kind, required, version: newestVersion });
    void server.observed.then(({ observation }) => {
      const version = parseInt(observation?.postgresVersion ?? "", 10) || newestVersion;
      for (const finding of findingsOf(rules, { kind, version }))
        if (finding.severity === "error" && finding.kind === "invalid")
          void pulumi.log.error(`${what}: ${formatFinding(finding)}`, this);
    });
    const text = renderManagedFile(rules, sha256, "host");
    this.text = containsSecret(rules) ? pulumi.secret(text) : pulumi.output(text);
    if (ssh) {
      const tried = probes(rules, required);
      const file = { server, text: this.text, sha256: sha256(text), required: tried };
      remotePgHba(this, name, { ...file, ssh, after });
    }

    const manualSteps = ssh
      ? undefined
      : ({ connection }: Observation): string => {
          const file = connection?.hbaFile ?? "the file that SHOW hba_file names";
          const what = `pg_hba.conf of ${server.server} differs from the stack, and without ssh Stagecraft cannot change it`;
          return `${what}; copy the output pgHba to ${file} on that machine, then run: SELECT pg_reload_conf()`;
        };
    logAccessChange(this, {
      server,
      rules,
      text,
      findings,
      required,
      database,
      application,
      manualSteps,
    });
    this.registerOutputs({ text: this.text });
  }
}

/** The connections that the agent tries itself; rules must treat the agent like the network that a connection comes from. */
function probes(
  rules: readonly PgHbaRule[],
  required: readonly RequiredAccess[],
): RequiredConnection[] {
  // The first one is the agent's own connection, which is open already.
  return required.slice(1).map((access): RequiredConnection => {
    const { name, user, database, tls = false } = access;
    const over = tls ? "tls" : "plain";
    return { name, user, database, over, method: whoCan(rules, access).method };
  });
}
