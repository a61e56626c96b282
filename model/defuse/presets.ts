import { quoteLiteral } from "../base/sql";
import type { Defuse } from "./statement";

/** Arguments of the OpenACS preset. */
export interface OpenAcsArgs {
  /** URL of the copy, e.g. `"http://staging.example.com"`. @default "http://openacs.invalid" */
  readonly url?: string;
}

/** Statements for well-known systems; further statements can follow. */
export const defusePresets = {
  /**
   * For OpenACS and systems based on it: mail is written to the server's log instead of sent, queues are emptied, cookies
   * signed in production are invalid, links point to the copy. Limitations: docs/defuse.md.
   *
   * @example
   * const defuse: Defuse = [...defusePresets.openAcs({ url: "http://staging.example.com" }), …];
   */
  openAcs: ({ url = "http://openacs.invalid" }: OpenAcsArgs = {}): Defuse => [
    {
      name: "mail off",
      sql: `${setParameter("acs-mail-lite", ["EmailDeliveryMode"], "log")}; DELETE FROM acs_mail_lite_queue`,
      expect: `SELECT (${isParameter("acs-mail-lite", ["EmailDeliveryMode"], "log")}) AND NOT EXISTS (SELECT FROM acs_mail_lite_queue)`,
    },
    {
      name: "notifications off",
      sql: "DELETE FROM notification_user_map; DELETE FROM notifications",
      expect: "SELECT NOT EXISTS (SELECT FROM notifications)",
    },
    {
      name: "tokens replaced",
      sql: `UPDATE secret_tokens SET token = 'copy' || left(replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', ''), 36);
            DELETE FROM sec_session_properties`,
      expect: `SELECT NOT EXISTS (SELECT FROM secret_tokens WHERE token NOT LIKE 'copy%')
                  AND NOT EXISTS (SELECT FROM sec_session_properties)`,
    },
    {
      name: "addresses rewritten",
      sql: [
        setParameter("acs-kernel", ["SystemURL"], url),
        setParameter("acs-kernel", senders, "nobody@example.invalid"),
        "DELETE FROM host_node_map",
      ].join("; "),
      expect: `SELECT (${isParameter("acs-kernel", ["SystemURL"], url)})
                  AND (${isParameter("acs-kernel", senders, "nobody@example.invalid")})
                  AND NOT EXISTS (SELECT FROM host_node_map)`,
    },
  ],
} as const;

/** Parameters of acs-kernel with sender and recipient addresses of mail. */
const senders = ["AdminOwner", "HostAdministrator", "OutgoingSender", "SystemOwner"];

function setParameter(packageKey: string, names: readonly string[], value: string): string {
  return `UPDATE apm_parameter_values v SET attr_value = ${quoteLiteral(value)} FROM apm_parameters p WHERE ${parameterCondition(packageKey, names)}`;
}

/** Requires at least one value, so that a renamed parameter makes the check fail. */
function isParameter(packageKey: string, names: readonly string[], value: string): string {
  return `SELECT count(*) > 0 AND bool_and(v.attr_value = ${quoteLiteral(value)}) FROM apm_parameter_values v, apm_parameters p WHERE ${parameterCondition(packageKey, names)}`;
}

function parameterCondition(packageKey: string, names: readonly string[]): string {
  const list = names.map(quoteLiteral).join(", ");
  return `p.parameter_id = v.parameter_id AND p.package_key = ${quoteLiteral(packageKey)} AND p.parameter_name IN (${list})`;
}
