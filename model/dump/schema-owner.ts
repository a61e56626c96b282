import { quoteIdentifier as q } from "../base/sql";
import { PlainTokens } from "./plain-tokens";

/** A schema that is created with its owner, in two statements. */
export interface OwnedSchema {
  readonly create: string;
  /** `ALTER SCHEMA … OWNER TO …` */
  readonly changeOwner: string;
}

/** Splits `CREATE SCHEMA … AUTHORIZATION …`, as other programs and old versions of pg_dump write it; `undefined` for others. */
export function ownedSchema(text: string): OwnedSchema | undefined {
  if (!/^\s*CREATE\s+SCHEMA\b/i.test(text)) return undefined;
  const tokens = PlainTokens.read(text);
  if (!tokens?.words("CREATE", "SCHEMA")) return undefined;
  const ifNotExists = tokens.words("IF", "NOT", "EXISTS") ? "IF NOT EXISTS " : "";
  let name: string | undefined;
  if (!tokens.words("AUTHORIZATION")) {
    name = tokens.identifier();
    if (!tokens.words("AUTHORIZATION")) return undefined;
  }
  const role = tokens.identifier();
  if (role === undefined || !tokens.isAtEnd) return undefined;
  // Without a name it is called as its owner.
  const schema = q(name ?? role);
  return {
    create: `CREATE SCHEMA ${ifNotExists}${schema}`,
    changeOwner: `ALTER SCHEMA ${schema} OWNER TO ${q(role)}`,
  };
}
