import { parseIp } from "../rule/address";
import { hideOptionSecrets, isSecret } from "../rule/options";
import { choicesHint, error, type RuleProblem } from "../rule/problem";
import { authMethods, connectionTypes, type AuthMethod, type PgHbaRule } from "../rule/rule";
import { formatToken, isKeyword, type Token } from "../rule/token";

type Field = readonly Token[];

/** Parses the fields of a line into a rule, or returns the problem. PostgreSQL manual, 20.1. */
export function readRule(fields: readonly Field[]): PgHbaRule | RuleProblem {
  const [typeField = [], databases, users, ...rest] = fields;
  const type = connectionTypes.find((name) => name === textOf(typeField));
  if (typeField.length > 1) return severalWords("connection type", typeField);
  if (!type) {
    const word = textOf(typeField);
    return error(`"${word}" is not a connection type; ${choicesHint(word, connectionTypes)}`);
  }
  if (!databases) return error("has no database; write all or a name after the type");
  if (!users) return error("has no user; write all or a name after the database");
  const address = type === "local" ? noAddress(rest) : readAddressFields(rest);
  if ("severity" in address) return address;
  const method = readMethod(address.rest);
  if ("severity" in method) return method;
  return {
    type,
    databases: databases.map(formatToken),
    users: users.map(formatToken),
    ...address.fields,
    ...method,
  };
}

interface AddressFields {
  readonly fields: Pick<PgHbaRule, "address" | "mask">;
  readonly rest: readonly Field[];
}

function noAddress(rest: readonly Field[]): AddressFields | RuleProblem {
  const [first] = rest;
  if (first && rest.length > 1 && isAddress(textOf(first))) {
    return error(`local rules have no address, got ${textOf(first)}; leave it out, or write host`);
  }
  return { fields: {}, rest };
}

function readAddressFields([field, ...rest]: readonly Field[]): AddressFields | RuleProblem {
  const [token] = field ?? [];
  const next = rest[0] ? textOf(rest[0]) : "";
  if (!field || !token || (isMethod(token.text) && /^$|=/.test(next))) {
    return error("has no address; write a network like 10.20.0.0/24, samenet or all");
  }
  if (field.length > 1) return severalWords("address", field);
  const address = formatToken(token);
  const [maskField, ...afterMask] = rest;
  const maskToken = maskField?.[0];
  // A mask follows an address without prefix length; otherwise PostgreSQL reads this word as the method.
  if (!maskToken || !isAddress(maskToken.text)) {
    const bare = parseIp(token.text) !== undefined && !isAddressKeyword(token);
    const wrong =
      bare && maskToken !== undefined && afterMask.length > 0 && !isMethod(maskToken.text);
    return wrong
      ? { fields: { address, mask: formatToken(maskToken) }, rest: afterMask }
      : { fields: { address }, rest };
  }
  if (maskField.length > 1) return severalWords("mask", maskField);
  return { fields: { address, mask: formatToken(maskToken) }, rest: afterMask };
}

function readMethod(rest: readonly Field[]): Pick<PgHbaRule, "method" | "options"> | RuleProblem {
  const [field, ...optionFields] = rest;
  if (!field) return error("has no method; write scram-sha-256");
  if (field.length > 1) return severalWords("method", field);
  const word = textOf(field);
  if (/^\w+=/.test(word)) {
    return error(`has the option ${word} but no method; write the method before the option`);
  }
  // checkRule rejects unknown methods; which ones are valid depends on PostgreSQL's version.
  const method = word as AuthMethod;
  const options = new Map<string, string>();
  let last = "";
  for (const { text } of optionFields.flat()) {
    const [name = "", value] = text.split(/=(.*)/s);
    if (value === undefined) {
      return isSecret(last)
        ? error(`the value of ${last} contains a comma or a blank; put it in quotes`)
        : error(`option "${text}" has no value; write name=value`);
    }
    options.set(name, value);
    last = name;
  }
  return options.size === 0 ? { method } : { method, options: Object.fromEntries(options) };
}

/** Formats the fields of a line for messages, with single blanks and without secrets. */
export function describeFields(fields: readonly Field[]): string {
  return hideOptionSecrets(fields.map((field) => field.map(formatToken).join(",")).join(" "));
}

function severalWords(what: string, field: Field): RuleProblem {
  const words = field.map(formatToken).join(",");
  return error(`has several values for the ${what}: ${words}; write one rule for each`);
}

const isMethod = (text: string): boolean => authMethods.some((name) => name === text);
const isAddress = (text: string): boolean => parseIp(text.split("/")[0] ?? "") !== undefined;
const isAddressKeyword = (token: Token): boolean =>
  ["all", "samehost", "samenet"].some((keyword) => isKeyword(token, keyword));
const textOf = (field: Field): string => field[0]?.text ?? "";
