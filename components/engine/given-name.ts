import * as pulumi from "@pulumi/pulumi";
import { UserError } from "./user-error";

/** The name of something outside of Pulumi, such as a server on its engine, that a resource stands for. */
export interface GivenName {
  readonly name: string;
  /** What the user should do while the name comes from an alias; `undefined` otherwise. */
  readonly advice: string | undefined;
}

/**
 * Finds the name that a resource stands for: the one in its arguments, or else that of the resource. A resource renamed with
 * `aliases` still stands for its earlier name; otherwise its volumes would be replaced. Raises a {@link UserError} when
 * aliases give several names.
 *
 * @param what the component, e.g. `PostgresServer "main"`
 * @param argument the argument for the name, e.g. `server`
 * @param name name of the resource
 * @param given the name in the arguments
 */
export function givenName(
  what: string,
  argument: string,
  name: string,
  given: string | undefined,
  { aliases = [] }: pulumi.ComponentResourceOptions = {},
): GivenName {
  if (given !== undefined) return { name: given, advice: undefined };
  const earlier = new Set(aliases.map(nameOf).filter((alias) => alias !== undefined));
  earlier.delete(name);
  const [only, ...others] = earlier;
  if (only === undefined) return { name, advice: undefined };
  if (others.length > 0) {
    throw new UserError(
      `${what}: its aliases give it several earlier names (${[...earlier].join(", ")}); set ${argument} to the one that it has outside of Pulumi`,
    );
  }
  const advice = `${what} was renamed by an alias and still stands for "${only}"; set ${argument}: "${only}" before you remove the alias`;
  return { name: only, advice };
}

/** Shows the advice about a name in the preview. */
export function logAdvice(resource: pulumi.Resource, { advice }: GivenName): void {
  if (advice !== undefined) void pulumi.log.warn(advice, resource);
}

/** The name in an alias; `undefined` if it keeps the name, or is known only later. */
function nameOf(alias: pulumi.Input<pulumi.URN | pulumi.Alias>): string | undefined {
  if (typeof alias === "string") return alias.split("::").at(-1);
  if (pulumi.Output.isInstance(alias) || alias instanceof Promise) return undefined;
  return typeof alias.name === "string" ? alias.name : undefined;
}
