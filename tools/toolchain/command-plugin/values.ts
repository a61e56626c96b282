/** What travels between the engine and a plugin: JSON, with secrets and unknown values marked. */
export type Value = null | boolean | number | string | Value[] | { [key: string]: Value };
export type Values = Record<string, Value>;

// Pulumi's own marks: https://github.com/pulumi/pulumi, sdk/go/common/resource/sig and …/plugin/rpc.go
export const signature = "4dabf18193072939515e22adb298388d";
const secretSignature = "1b47061264138c4ac30d75fd1eb44270";

/** Stands for a value that is only known once another resource has been made. */
export const unknown = "04da6b54-80e4-46f7-96ec-b56ff0331ba9";

/** Marks a value as a secret, so that the engine encrypts it in the state. */
export function secret(value: Value): Value {
  return { [signature]: secretSignature, value };
}

/** The value without any secret marks, however deep. */
export function plain(value: Value): Value {
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== "object") return value;
  if (value[signature] === secretSignature) return plain(value["value"] ?? null);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

/** Whether any part of the value answers the question. */
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
