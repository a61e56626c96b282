import { readLdapUrl } from "./ldap-url";
import { choicesHint, error, warning, type RuleProblem } from "./problem";
import { radiusProblems } from "./radius-lists";
import type { AuthMethod, PgHbaRule } from "./rule";

/** The methods that accept an option. PostgreSQL manual, 20.5 to 20.15; `clientcert` and `clientname` are for `hostssl` with any method. */
const methodsOf: Readonly<Record<string, readonly AuthMethod[]>> = {
  map: ["ident", "peer", "gss", "sspi", "cert", "oauth"],
  include_realm: ["gss", "sspi"],
  krb_realm: ["gss", "sspi"],
  compat_realm: ["sspi"],
  upn_username: ["sspi"],
  pamservice: ["pam"],
  pam_use_hostname: ["pam"],
  ...each("ldap", ["ldapurl", "ldapserver", "ldapport", "ldapscheme", "ldaptls", "ldapprefix"]),
  ...each("ldap", ["ldapsuffix", "ldapbasedn", "ldapbinddn", "ldapbindpasswd"]),
  ...each("ldap", ["ldapsearchattribute", "ldapsearchfilter"]),
  ...each("radius", ["radiusservers", "radiussecrets", "radiusports", "radiusidentifiers"]),
  ...each("oauth", ["issuer", "scope", "validator", "delegate_ident_mapping"]),
};

const certificateOptions: Readonly<Record<string, readonly string[]>> = {
  clientcert: ["verify-ca", "verify-full"],
  clientname: ["CN", "DN"],
};

/** Whether the value of an option is a secret. */
export const isSecret = (name: string): boolean =>
  name === "ldapbindpasswd" || name === "radiussecrets";

/** Replaces the secrets in a line: everything after the name of a secret option, quoted or not. */
export function hideOptionSecrets(line: string): string {
  return line.replace(/"?\b(ldapbindpasswd|radiussecrets)=.*/s, "$1=…");
}

const optionNames = [...Object.keys(methodsOf), ...Object.keys(certificateOptions)];

/** Problems of a rule's options: invalid or missing ones. */
export function optionProblems(rule: PgHbaRule): readonly RuleProblem[] {
  const options = Object.entries(rule.options ?? {});
  const wrong = options.flatMap(([name, value]) => optionProblem(rule, name, value) ?? []);
  return wrong.length > 0 ? wrong : (combinationRules[rule.method]?.(rule.options ?? {}) ?? []);
}

function optionProblem(rule: PgHbaRule, name: string, value: string): RuleProblem | undefined {
  const { method, type } = rule;
  const values = Object.hasOwn(certificateOptions, name) ? certificateOptions[name] : undefined;
  if (values) {
    if (type !== "hostssl")
      return error(`${name}=${value} is for hostssl rules only, not ${type}; write hostssl`);
    if (!values.includes(value)) {
      return error(`${name} must be ${values.join(" or ")}, got "${value}"`);
    }
    if (method === "cert" && value === "verify-ca") {
      return error("clientcert=verify-ca is weaker than the method cert; leave it out");
    }
    return undefined;
  }
  const methods = Object.hasOwn(methodsOf, name) ? methodsOf[name] : undefined;
  if (!methods) return error(`"${name}" is not an option; ${choicesHint(name, optionNames)}`);
  if (!methods.includes(method)) {
    const shown = isSecret(name) ? name : `${name}=${value}`;
    return error(`option ${shown} is for ${methods.join(", ")}, not ${method}; leave it out`);
  }
  if (name === "ldapurl") {
    const url = readLdapUrl(value);
    if (typeof url === "string") return error(`ldapurl ${url}, got "${value}"`);
  }
  if (name === "ldapport" && !/^\s*[+-]?0*[1-9]/.test(value)) {
    return error(`ldapport must be a port, got "${value}"`);
  }
  if (name === "ldapscheme" && !["ldap", "ldaps"].includes(value)) {
    return warning(`ldapscheme must be ldap or ldaps, got "${value}"`);
  }
  return undefined;
}

type Options = Readonly<Record<string, string>>;

/** Required options of a method, and options that exclude each other. */
const combinationRules: Partial<Record<AuthMethod, (options: Options) => readonly RuleProblem[]>> =
  {
    ldap: (options) => {
      const url = readLdapUrl(options["ldapurl"] ?? "");
      const ofUrl = typeof url === "string" ? undefined : url;
      const find = (pattern: RegExp, inUrl = false): string | undefined =>
        Object.keys(options).find((name) => pattern.test(name)) ?? (inUrl ? "ldapurl" : undefined);
      const bind = find(/^ldap(?:prefix|suffix)$/);
      const base = find(/^ldapbasedn$/, ofUrl?.hasBase);
      const attribute = find(/^ldapsearchattribute$/, ofUrl?.hasAttribute);
      const filter = find(/^ldapsearchfilter$/, ofUrl?.hasFilter);
      const search = find(/^(?:ldapbinddn|ldapbindpasswd)$/) ?? base ?? attribute ?? filter;
      if (bind !== undefined && search !== undefined) {
        return [
          error(`${bind} and ${search} exclude each other; bind directly or search, not both`),
        ];
      }
      if (attribute !== undefined && filter !== undefined) {
        return [
          error(
            attribute === filter
              ? "ldapurl has a search attribute and a search filter, which exclude each other; keep one"
              : `${attribute} and ${filter} exclude each other; keep one`,
          ),
        ];
      }
      if (bind !== undefined || base !== undefined) return [];
      return [
        ofUrl
          ? error("ldapurl has no base DN; write one after a slash, e.g. ldap://server/dc=example")
          : error("ldap needs one of ldapbasedn, ldapprefix, ldapsuffix, ldapurl; add one"),
      ];
    },
    radius: radiusProblems,
    oauth: (options) => {
      if (options["delegate_ident_mapping"] === "1" && "map" in options) {
        return [error("map and delegate_ident_mapping=1 exclude each other; keep one")];
      }
      return needs("oauth", ["issuer", "scope"])(options);
    },
  };

function needs(method: string, names: readonly string[]) {
  return (options: Options): readonly RuleProblem[] =>
    names
      .filter((name) => (options[name] ?? "") === "")
      .map((name) => error(`${method} needs the option ${name}; add ${name}=…`));
}

function each(method: AuthMethod, names: readonly string[]): Record<string, readonly AuthMethod[]> {
  return Object.fromEntries(names.map((name) => [name, [method]]));
}
