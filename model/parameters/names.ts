import { nearest } from "../base/nearest";
import { settingsOf, type PostgresSetting, type PostgresVersion } from "./catalogue";

/** The name of a setting in a stack file: `shared_buffers` → `sharedBuffers`. */
export function camelCase(name: string): string {
  const plain = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return plain.charAt(0).toLowerCase() + plain.slice(1);
}

/** The setting that a key means, in either notation; PostgreSQL's own is free in its capitals. */
export function findSetting(key: string, version: PostgresVersion): PostgresSetting | undefined {
  const settings = settingsOf(version);
  return (
    settings.get(key) ??
    [...settings.values()].find(
      ({ name }) => camelCase(name) === key || name.toLowerCase() === key.toLowerCase(),
    )
  );
}

/** Whether a key is a setting of an extension: `auto_explain.log_min_duration`. PostgreSQL manual, 19.16. */
export function isExtensionSetting(key: string): boolean {
  return /^[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)+$/.test(key);
}

/** The setting somebody probably meant, in the notation they used. */
export function nearestSetting(key: string, version: PostgresVersion): string | undefined {
  const names = [...settingsOf(version).keys()];
  return nearest(key, key.includes("_") ? names : names.map(camelCase));
}
