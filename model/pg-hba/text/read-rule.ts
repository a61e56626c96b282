import { parseIp } from "../rule/address";
import { hideSecrets, isSecret } from "../rule/options";
import { choices, error, type RuleProblem } from "../rule/problem";
import { authMethods, connectionTypes, type AuthMethod, type PgHbaRule } from "../rule/rule";
import { formatToken, isKeyword, type Token } from "../rule/token";

type Field = readonly Token[];

/** Puts the fields of a line together into a rule, or tells what keeps them from being one. PostgreSQL manual, 20.1. */
export function readRule(fields: readonly Field[]): PgHbaRule | RuleProblem {
  const [typeField = [], databases, users, ...rest] = fields;
  const type = connectionTypes.find((name) => name === textOf(typeField));
  if (typeField.length > 1) return severalWords("connection type", typeField);
  if (!type) {
    const word = textOf(typeField);
    return error(`"${word}" is no connection type; ${choices(word, connectionTypes)}`);
  }
  if (!databases) return error("has no database; write all or a name behind the type");
  if (!users) return error("has no user; write all or a name behind the database");
  const place = type === "local" ? noPlace(rest) : readPlaceFields(rest);
  if ("severity" in place) return place;
  const method = readMethod(place.rest);
  if ("severity" in method) return method;
  return {
    type,
    databases: databases.map(formatToken),
    users: users.map(formatToken),
    ...place.fields,
    ...method,
  };
}

interface PlaceFields {
  readonly fields: Pick<PgHbaRule, "address" | "mask">;
  readonly rest: readonly Field[];
}

function noPlace(rest: readonly Field[]): PlaceFields | RuleProblem {
  const [first] = rest;
  if (first && rest.length > 1 && isAddress(textOf(first))) {
    return error(`local takes no address, got ${textOf(first)}; leave it out, or write host`);
  }
  return { fields: {}, rest };
}

function readPlaceFields([field, ...rest]: readonly Field[]): PlaceFields | RuleProblem {
  const [token] = field ?? [];
  const next = rest[0] ? textOf(rest[0]) : "";
  if (!field || !token || (isMethod(token.text) && /^$|=/.test(next))) {
    return error("has no address; write a network like 10.20.0.0/24, samenet or all");
  }
  if (field.length > 1) return severalWords("address", field);
  const address = formatToken(token);
  const [maskField, ...behind] = rest;
  const maskToken = maskField?.[0];
  // A mask belongs to a bare address; elsewhere PostgreSQL would take it for the method.
  if (!maskToken || !isAddress(maskToken.text)) {
    const bare = parseIp(token.text) !== undefined && !isPlaceKeyword(token);
    const wrong = bare && maskToken !== undefined && behind.length > 0 && !isMethod(maskToken.text);
    return wrong
      ? { fields: { address, mask: formatToken(maskToken) }, rest: behind }
      : { fields: { address }, rest };
  }
  if (maskField.length > 1) return severalWords("mask", maskField);
  return { fields: { address, mask: formatToken(maskToken) }, rest: behind };
}

function readMethod(rest: readonly Field[]): Pick<PgHbaRule, "method" | "options"> | RuleProblem {
  const [field, ...optionFields] = rest;
  if (!field) return error("has no method; write scram-sha-256");
  if (field.length > 1) return severalWords("method", field);
  const word = textOf(field);
  if (/^\w+=/.test(word)) {
    return error(`has the option ${word} but no method; write the method before it`);
  }
  // Whether there is such a method depends on PostgreSQL's version, which the check knows.
  const method = word as AuthMethod;
  const options = new Map<string, string>();
  let last = "";
  for (const { text } of optionFields.flat()) {
    const [name = "", value] = text.split(/=(.*)/s);
    if (value === undefined) {
      return isSecret(last)
        ? error(`the value of ${last} has a comma or a blank; put it in quotes`)
        : error(`option "${text}" has no value; write name=value`);
    }
    options.set(name, value);
    last = name;
  }
  return options.size === 0 ? { method } : { method, options: Object.fromEntries(options) };
}

/** A line with single blanks, for messages. What stands behind the name of a secret is left out. */
export function describeFields(fields: readonly Field[]): string {
  return hideSecrets(fields.map((field) => field.map(formatToken).join(",")).join(" "));
}

function severalWords(what: string, field: Field): RuleProblem {
  const words = field.map(formatToken).join(",");
  return error(`names several values for the ${what}, got ${words}; write one rule for each`);
}

const isMethod = (text: string): boolean => authMethods.some((name) => name === text);
const isAddress = (text: string): boolean => parseIp(text.split("/")[0] ?? "") !== undefined;
const isPlaceKeyword = (token: Token): boolean =>
  ["all", "samehost", "samenet"].some((keyword) => isKeyword(token, keyword));
const textOf = (field: Field): string => field[0]?.text ?? "";
