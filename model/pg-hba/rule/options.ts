import { choices, error, warning, type RuleProblem } from "./problem";
import type { AuthMethod, PgHbaRule } from "./rule";

/** Which methods take an option. PostgreSQL manual, 20.5 to 20.15; `clientcert` and `clientname` are for `hostssl` with any method. */
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

/** Whether the value of an option must not be shown. */
export const isSecret = (name: string): boolean =>
  name === "ldapbindpasswd" || name === "radiussecrets";

/** A line without its secrets: what stands behind the name of one is left out, whatever its quotes. */
export function hideSecrets(line: string): string {
  return line.replace(/"?\b(ldapbindpasswd|radiussecrets)=.*/s, "$1=…");
}

const optionNames = [...Object.keys(methodsOf), ...Object.keys(certificateOptions)];

/** What is wrong with the options of a rule, or missing from them. */
export function optionProblems(rule: PgHbaRule): readonly RuleProblem[] {
  const given = Object.entries(rule.options ?? {});
  const wrong = given.flatMap(([name, value]) => optionProblem(rule, name, value) ?? []);
  return wrong.length > 0 ? wrong : (missing[rule.method]?.(rule.options ?? {}) ?? []);
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
      return error("clientcert=verify-ca is less than cert asks anyway; leave it out");
    }
    return undefined;
  }
  const methods = Object.hasOwn(methodsOf, name) ? methodsOf[name] : undefined;
  if (!methods) return error(`"${name}" is no option; ${choices(name, optionNames)}`);
  if (!methods.includes(method)) {
    const shown = isSecret(name) ? name : `${name}=${value}`;
    return error(`option ${shown} is for ${methods.join(", ")}, not ${method}; leave it out`);
  }
  if (name === "ldapurl" && !/^ldaps?:\/\//i.test(value)) {
    return error(`ldapurl must begin with ldap:// or ldaps://, got "${value}"`);
  }
  if (name === "radiusports" && !value.split(",").every((port) => /^[\s"]*0*[1-9]/.test(port))) {
    return error(`radiusports must be ports, got "${value}"`);
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

/** What a method cannot do without, and what does not go together. */
const missing: Partial<Record<AuthMethod, (options: Options) => readonly RuleProblem[]>> = {
  ldap: (options) => {
    const bind = ["ldapprefix", "ldapsuffix"].find((name) => name in options);
    const search = Object.keys(options).find((name) =>
      /^ldap(?:basedn|bind.*|search.*)$/.test(name),
    );
    if (bind !== undefined && search !== undefined) {
      return [error(`${bind} and ${search} do not go together; bind directly or search, not both`)];
    }
    if ("ldapsearchattribute" in options && "ldapsearchfilter" in options) {
      return [error("ldapsearchattribute and ldapsearchfilter do not go together; keep one")];
    }
    if (bind !== undefined || "ldapbasedn" in options || "ldapurl" in options) return [];
    return [error("ldap needs one of ldapbasedn, ldapprefix, ldapsuffix, ldapurl; add one")];
  },
  radius: (options) => {
    const problems = needs("radius", ["radiusservers", "radiussecrets"])(options);
    const servers = listLength(options["radiusservers"]);
    const other = ["radiussecrets", "radiusports", "radiusidentifiers"].find((name) => {
      const count = listLength(options[name]);
      return count > 1 && count !== servers;
    });
    if (problems.length > 0 || other === undefined) return problems;
    const count = listLength(options[other]);
    return [
      error(`${other} has ${count} values for ${servers} servers; give one, or one for each`),
    ];
  },
  oauth: (options) => {
    if (options["delegate_ident_mapping"] === "1" && "map" in options) {
      return [error("map and delegate_ident_mapping=1 do not go together; keep one")];
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

/** Values in a list of RADIUS, where quotes may hold commas. */
function listLength(list: string | undefined): number {
  return list === undefined ? 0 : list.replace(/"[^"]*"/g, "x").split(",").length;
}

function each(method: AuthMethod, names: readonly string[]): Record<string, readonly AuthMethod[]> {
  return Object.fromEntries(names.map((name) => [name, [method]]));
}
