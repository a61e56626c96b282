import * as pulumi from "@pulumi/pulumi";
import type { Observation } from "../../model/observation/observation";
import { externalRequired, externalRules } from "../../model/pg-hba/judge/external";
import { whoCan } from "../../model/pg-hba/rule/evaluate";
import type { RequiredAccess } from "../../model/pg-hba/judge/finding";
import { renderManagedFile } from "../../model/pg-hba/text/managed-file";
import type { RequiredConnection } from "../../model/pg-hba/rule/protocol";
import { describeRule } from "../../model/pg-hba/text/render";
import { ownNetwork } from "../../model/pg-hba/judge/required";
import type { PgHbaRule } from "../../model/pg-hba/rule/rule";
import type { AgentRef } from "../engine/server-ref";
import { sha256 } from "../engine/digest";
import type { PgHbaChoice } from "./pg-hba";
import { checkRules, containsSecret, logAccessChange } from "./pg-hba-rules";
import { remotePgHba } from "./remote-pg-hba";
import type { SshArgs } from "./ssh";

/** Who may connect to a server on a machine of its own. */
export interface ExternalPgHbaChoice extends PgHbaChoice {
  /** The network that the agent comes from, as the server sees it, e.g. `"192.0.2.7/32"`. @default "samenet", the networks of the server's machine */
  readonly agent?: string | undefined;
}

/** What {@link ExternalPgHba} is made of. */
export interface ExternalPgHbaArgs extends ExternalPgHbaChoice {
  /** The server it is for. */
  readonly server: AgentRef;
  /** The superuser that the agent is there. */
  readonly superuser: string;
  /** Whether the agent comes by TLS. */
  readonly tls: boolean;
  /** The database that the application uses. */
  readonly database: string;
  /** What must be there before the rules are put in force. */
  readonly after: pulumi.Resource;
  /** How to reach the machine. @default the text is only shown */
  readonly ssh?: SshArgs | undefined;
}

/**
 * Who may connect to a server on a machine of its own. By SSH its `pg_hba.conf` is put in force there; without, the text
 * is for whoever looks after that machine, and the preview says where it goes.
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
    // These are shown at preview when they change.
    super("stagecraft:index:ExternalPgHba", name, { rules: rules.map(describeRule) }, opts);

    const required = externalRequired(access);
    const findings = checkRules(`ExternalPgHba "${name}"`, rules, { kind, required });
    const text = renderManagedFile(rules, sha256);
    this.text = containsSecret(rules) ? pulumi.secret(text) : pulumi.output(text);
    if (ssh) {
      const tried = probes(rules, required);
      const file = { server, text: this.text, sha256: sha256(text), required: tried };
      remotePgHba(this, name, { ...file, ssh, after });
    }

    const handOver = ssh
      ? undefined
      : ({ connection }: Observation): string => {
          const file = connection?.hbaFile ?? "the file that SHOW hba_file names";
          const what = `pg_hba.conf of ${server.server} is not as wanted, and without ssh it is not Stagecraft's to change`;
          return `${what}; put the text of the output pgHba into ${file} there, then: SELECT pg_reload_conf()`;
        };
    logAccessChange(this, {
      server,
      rules,
      text,
      findings,
      required,
      database,
      application,
      handOver,
    });
    this.registerOutputs({ text: this.text });
  }
}

/** What the agent tries, where the rules treat it like the network that a connection is to come from. */
function probes(
  rules: readonly PgHbaRule[],
  required: readonly RequiredAccess[],
): RequiredConnection[] {
  // The agent itself logs in.
  return required.slice(1).map((access): RequiredConnection => {
    const { name, user, database, tls = false } = access;
    const over = tls ? "tls" : "plain";
    return { name, user, database, over, method: whoCan(rules, access).method };
  });
}
