import { z } from "zod";
import { stackFileConfigSchema } from "./schema";

/** A key of the stack file, as documented. */
export interface ConfigKey {
  /** Key path, e.g. `postgres.port`. */
  readonly path: string;
  readonly description: string;
  /** As written in the stack file; `undefined` if there is none. */
  readonly defaultValue: string | undefined;
  readonly required: boolean;
  readonly example: string | undefined;
}

/** All keys, in the order of the schema. */
export const configKeys: readonly ConfigKey[] = list(stackFileConfigSchema.shape, []);

/** The key at a path. */
export function configKeyAt(path: readonly PropertyKey[]): ConfigKey | undefined {
  return configKeys.find((key) => key.path === path.join("."));
}

function list(shape: Readonly<Record<string, z.ZodType>>, above: readonly string[]): ConfigKey[] {
  return Object.entries(shape).flatMap(([name, schema]) => {
    const path = [...above, name];
    if (schema instanceof z.ZodObject) return list(schema.shape, path);
    const meta = schema.meta();
    const entry = {
      path: path.join("."),
      description: meta?.description ?? "",
      defaultValue: schema instanceof z.ZodDefault ? String(schema.def.defaultValue) : undefined,
      required: !schema.safeParse(undefined).success,
      example: (meta?.["examples"] as readonly unknown[] | undefined)?.map(String)[0],
    };
    // An optional section.
    const inner = above.length === 0 && schema instanceof z.ZodOptional && schema.unwrap();
    return inner instanceof z.ZodObject ? [entry, ...list(inner.shape, path)] : entry;
  });
}
