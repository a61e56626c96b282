/** The parts of an LDAP URL that PostgreSQL uses besides the server: `ldap://host:port/dn?attributes?scope?filter`. */
export interface LdapUrl {
  /** Whether it has a base DN, possibly empty: a slash after the server. */
  readonly hasBase: boolean;
  readonly hasAttribute: boolean;
  readonly hasFilter: boolean;
}

const scopes = ["base", "one", "onelevel", "sub", "subtree", "children", "subordinate"];

/**
 * Parses an LDAP URL as OpenLDAP's `ldap_url_parse` does, which PostgreSQL calls; returns the rule that it violates, to
 * follow the name of the option. RFC 4516.
 */
export function readLdapUrl(url: string): LdapUrl | string {
  const enclosed = url.startsWith("<");
  if (enclosed && !url.endsWith(">")) return 'must end with ">", because it begins with "<"';
  const bare = (enclosed ? url.slice(1, -1) : url).replace(/^URL:/i, "");
  const [scheme] = /^ldaps?:\/\//i.exec(bare) ?? [];
  if (scheme === undefined) return "must begin with ldap:// or ldaps://";
  const rest = bare.slice(scheme.length);
  const slash = rest.indexOf("/");
  // Without a slash, everything after the server is ignored.
  const server = slash < 0 ? (rest.split("?")[0] ?? "") : rest.slice(0, slash);
  const problem = serverProblem(server);
  if (problem !== undefined) return problem;
  if (slash < 0) return { hasBase: false, hasAttribute: false, hasFilter: false };
  const parts = rest.slice(slash + 1).split("?");
  const [, attributes = "", scope = "", filter = "", extensions] = parts;
  if (parts.length > 5) return 'must have at most four "?"';
  // PostgreSQL crashes.
  if (attributes !== "" && /^,*$/.test(attributes))
    return "must have a search attribute between its commas";
  if (scope !== "" && !scopes.includes(scope.toLowerCase()))
    return `must have the scope base, one or sub instead of ${scope}`;
  if (extensions !== undefined && /^,*$/.test(extensions))
    return 'must have an extension after its last "?"';
  return { hasBase: true, hasAttribute: attributes !== "", hasFilter: filter !== "" };
}

function serverProblem(server: string): string | undefined {
  let afterHost = server;
  if (server.startsWith("[")) {
    const end = server.indexOf("]");
    if (end < 0) return 'must have a "]" after its address';
    afterHost = server.slice(end + 1);
  }
  const colon = afterHost.indexOf(":");
  if (colon < 0) return undefined;
  if (server.startsWith("[") && colon > 0) return 'must have nothing between "]" and the port';
  const port = afterHost.slice(colon + 1);
  return /^\s*[+-]?\d+$/.test(port)
    ? undefined
    : `must have a number as its port instead of "${port}"`;
}
