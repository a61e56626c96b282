import { nearest } from "../base/nearest";
import { parametersOf, type PostgresParameter, type PostgresVersion } from "./catalogue";

/** Converts a parameter's name to the notation of a stack file: `shared_buffers` → `sharedBuffers`. */
export function camelCase(name: string): string {
  const plain = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return plain.charAt(0).toLowerCase() + plain.slice(1);
}

/** Finds a parameter by its name in either notation; PostgreSQL's notation is case-insensitive. */
export function findParameter(
  key: string,
  version: PostgresVersion,
): PostgresParameter | undefined {
  const parameters = parametersOf(version);
  return (
    parameters.get(key) ??
    [...parameters.values()].find(
      ({ name }) => camelCase(name) === key || name.toLowerCase() === key.toLowerCase(),
    )
  );
}

/** Whether a key is a parameter of an extension, e.g. `auto_explain.log_min_duration`. PostgreSQL manual, 19.16. */
export function isExtensionParameter(key: string): boolean {
  return /^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)+$/.test(key);
}

/** The parameter closest to a mistyped key, in the notation of the key. */
export function nearestParameter(key: string, version: PostgresVersion): string | undefined {
  const names = [...parametersOf(version).keys()];
  return nearest(key, key.includes("_") ? names : names.map(camelCase));
}
