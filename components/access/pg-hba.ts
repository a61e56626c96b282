import * as command from "@pulumi/command";
import * as pulumi from "@pulumi/pulumi";
import { renderManagedFile } from "../../model/pg-hba/text/managed-file";
import { presets } from "../../model/pg-hba/rule/presets";
import { areMapsUpToDate, mapNames, renderMaps } from "../../model/pg-hba/text/maps";
import { pgHbaRequestSchema } from "../../model/pg-hba/rule/protocol";
import { describeRule } from "../../model/pg-hba/text/render";
import {
  ownNetwork,
  requiredAccess,
  testableConnections,
} from "../../model/pg-hba/judge/required-access";
import type { People } from "../../model/roles/people";
import type { PgHbaRule } from "../../model/pg-hba/rule/rule";
import { agentCommand } from "../engine/agent-command";
import { checkRequest } from "../engine/check-args";
import { protectedCommand } from "../engine/protection";
import { sha256 } from "../engine/digest";
import { checkMaps, checkRules, containsSecret, logAccessChange } from "./pg-hba-rules";
import type { AgentRef } from "../engine/server-ref";

/** The access rules of a server. */
export interface PgHbaChoice {
  /** The network that the application connects from, e.g. `"10.20.0.0/24"`. @default "samenet", the server's own network */
  readonly application?: string | undefined;
  /** The network that the read-only role connects from, or `"none"`. @default the application's */
  readonly readonly?: string | undefined;
  /** The network that monitoring connects from, or `"none"`. @default the application's */
  readonly monitoring?: string | undefined;
  /** All rules, in their order. @default the preset of the server's kind, see `presets` */
  readonly rules?: readonly PgHbaRule[] | undefined;
  /**
   * Lines of `pg_ident.conf` for rules with the option `map`: map, system user and role in each, e.g. `"people ada.lovelace ada"`.
   * @default none
   */
  readonly maps?: readonly string[] | undefined;
}

/** Arguments of {@link PgHba}. */
export interface PgHbaArgs extends PgHbaChoice {
  /** The server it is for. */
  readonly server: AgentRef;
  /** What must exist before the rules are tried, such as a certificate. @default nothing */
  readonly after?: pulumi.Resource | undefined;
  /** The database that the application uses. */
  readonly database: string;
  /** Users, who are shown with where they can connect from. @default none */
  readonly people?: People | undefined;
  /** Whether the server has a CA that it verifies client certificates with. @default false */
  readonly clientCa?: boolean | undefined;
}

/**
 * Who may connect to a server, from where, and how they authenticate: its `pg_hba.conf`.
 *
 * The preview shows a change as a table of who gains and who loses access. It is applied by a reload: PostgreSQL is not
 * restarted and no connection is closed. If the new rules lock out a required connection, they are rolled back. Rules with
 * an error, such as `trust` for a network on production, are rejected before anything is changed.
 * PostgreSQL manual, 20.1.
 *
 * ```ts
 * new PgHba("staging-pg-hba", { server, database: "timesheets", application: "10.20.0.0/24" });
 * ```
 */
export class PgHba extends pulumi.ComponentResource {
  constructor(name: string, args: PgHbaArgs, opts?: pulumi.ComponentResourceOptions) {
    const { server, database, application = ownNetwork, maps = [], clientCa = false } = args;
    const { kind } = server;
    const { readonly, monitoring, people = {} } = args;
    const narrowed = { readonly, monitoring };
    const rules = args.rules ?? presets[kind]({ database, application, ...narrowed });
    // Shown at preview when they change.
    const shown = { rules: rules.map(describeRule), ...(maps.length > 0 && { maps }) };
    super("stagecraft:index:PgHba", name, shown, opts);

    const required = requiredAccess(kind, database, application, narrowed);
    checkMaps(`PgHba "${name}"`, maps);
    const provided = { clientCa, maps: mapNames(maps) };
    const findings = checkRules(`PgHba "${name}"`, rules, { kind, required, provided });
    const text = renderManagedFile(rules, sha256);
    const request = checkRequest(`PgHba "${name}"`, pgHbaRequestSchema, {
      server: server.server,
      text,
      required: testableConnections(rules, required),
      maps: renderMaps(maps, sha256),
    });
    new command.local.Command(
      name,
      protectedCommand(
        server,
        "always",
        agentCommand(server, {
          verb: "pg-hba",
          request: containsSecret(rules) ? pulumi.secret(request) : request,
          isUpToDate: ({ pgHba }) =>
            pgHba.sha256 === sha256(text) &&
            pgHba.loaded !== false &&
            areMapsUpToDate(pgHba.maps ?? "", maps),
        }),
      ),
      { parent: this, ...(args.after && { dependsOn: args.after }) },
    );

    logAccessChange(this, {
      people,
      server,
      rules,
      text,
      findings,
      required,
      database,
      application,
      maps,
    });
    this.registerOutputs();
  }
}
