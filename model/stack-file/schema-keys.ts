import { z } from "zod";

/** The keys that a schema defines at a path; empty if it allows any. */
export function schemaKeysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const inner = unwrapped(schema);
  const [key, ...rest] = path;
  if (inner instanceof z.ZodRecord && key !== undefined) {
    return schemaKeysAt(inner.valueType as z.ZodType, rest);
  }
  if (inner instanceof z.ZodArray && key !== undefined) {
    return schemaKeysAt(inner.element as z.ZodType, rest);
  }
  if (!(inner instanceof z.ZodObject)) return [];
  const shape: Readonly<Record<string, z.ZodType>> = inner.shape;
  if (key === undefined) return Object.keys(shape);
  const next = shape[String(key)];
  return next ? schemaKeysAt(next, rest) : [];
}

function unwrapped(schema: z.ZodType): z.ZodType {
  return schema instanceof z.ZodOptional || schema instanceof z.ZodDefault
    ? unwrapped(schema.unwrap() as z.ZodType)
    : schema;
}
