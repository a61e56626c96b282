import { z } from "zod";
import { stackFileConfigSchema } from "./schema";

/** One setting, as the documentation lists it. */
export interface ConfigKey {
  /** Key path, e.g. `postgres.port`. */
  readonly path: string;
  readonly description: string;
  /** Written as in the stack file; absent where there is none. */
  readonly defaultValue: string | undefined;
  readonly required: boolean;
  readonly example: string | undefined;
}

/** Every setting there is, in the order of the schema. */
export const configKeys: readonly ConfigKey[] = list(stackFileConfigSchema.shape, []);

/** What is known of the setting at a key path. */
export function configKeyAt(path: readonly PropertyKey[]): ConfigKey | undefined {
  return configKeys.find((key) => key.path === path.join("."));
}

function list(shape: Readonly<Record<string, z.ZodType>>, above: readonly string[]): ConfigKey[] {
  return Object.entries(shape).flatMap(([name, schema]) => {
    const path = [...above, name];
    if (schema instanceof z.ZodObject) return list(schema.shape, path);
    const meta = schema.meta();
    const setting = {
      path: path.join("."),
      description: meta?.description ?? "",
      defaultValue: schema instanceof z.ZodDefault ? String(schema.def.defaultValue) : undefined,
      required: !schema.safeParse(undefined).success,
      example: (meta?.["examples"] as readonly unknown[] | undefined)?.map(String)[0],
    };
    // A whole section that need not be there.
    const inner = above.length === 0 && schema instanceof z.ZodOptional && schema.unwrap();
    return inner instanceof z.ZodObject ? [setting, ...list(inner.shape, path)] : setting;
  });
}
