/** A value sent between engine and plugin: JSON, with secrets and unknown values marked. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Values = Record<string, Value>;

// Pulumi's markers: https://github.com/pulumi/pulumi, sdk/go/common/resource/sig and …/plugin/rpc.go
export const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Placeholder for a value that is only known once another resource is created. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Marks a value as a secret, so that the engine encrypts it in the state. */
export function secret(value: Value): Value {
  return { [signature]: secretSignature, value };
}

/** The value without secret markers at any depth. */
export function unwrap(value: Value): Value {
  if (Array.isArray(value)) return value.map(unwrap);
  if (value === null || typeof value !== "object") return value;
  if (value[signature] === secretSignature) return unwrap(value["value"] ?? null);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrap(inner)]));
}

/** Whether any part of the value satisfies the predicate. */
function some(value: Value, is: (part: Value) => boolean): boolean {
  if (is(value)) return true;
  if (value === null || typeof value !== "object") return false;
  return Object.values(value).some((part) => some(part, is));
}

/** Whether any part of the value is marked as a secret. */
export function hasSecret(value: Value): boolean {
  return some(
    value,
    (part) =>
      part !== null &&
      typeof part === "object" &&
      !Array.isArray(part) &&
      part[signature] === secretSignature,
  );
}

/** Whether any part of the value is not known yet. */
export function hasUnknown(value: Value): boolean {
  return some(value, (part) => part === unknown);
}
