import { describe, expect, test } from "vitest";
import {
  checkInputs,
  diff,
  previewed,
} from "../../tools/toolchain/command-plugin/command-resource";
import { localCommand } from "../../tools/toolchain/command-plugin/local-command";
import { hasSecret, unwrap, secret, unknown } from "../../tools/toolchain/command-plugin/values";

describe("a command's inputs", () => {
  test("get the default of the official plugin", () => {
    expect(checkInputs(localCommand, { create: "true" })).toEqual({
      inputs: { create: "true", addPreviousOutputInEnv: true },
      problems: [],
    });
  });

  test.each([
    [{ logging: "loud" }, "logging", "must be one of stdout, stderr, stdoutAndStderr, none"],
    [{ create: ["true"] }, "create", "must be a string"],
    [{ stdin: secret(5) }, "stdin", "must be a string"],
    [{ environment: { A: 1 } }, "environment", "must be a map of strings"],
    [{ interpreter: "/bin/sh" }, "interpreter", "must be a list of strings"],
    [{ crate: "true" }, "crate", "is not an input of command:local:Command"],
  ])("%j is refused", (inputs, property, reason) => {
    expect(checkInputs(localCommand, inputs).problems).toEqual([{ property, reason }]);
  });

  test("are not judged while they are unknown", () => {
    expect(
      checkInputs(localCommand, { create: unknown, environment: { A: unknown } }).problems,
    ).toEqual([]);
  });
});

describe("changed inputs", () => {
  test("update the command, changed triggers replace it", () => {
    const olds = { create: "a", triggers: [1], stdin: "x", stdout: "an output" };
    const news = { create: "b", triggers: [2], environment: { A: "1" } };
    expect(diff(localCommand, olds, news)).toEqual([
      { property: "create", kind: "update", replaces: false },
      { property: "environment", kind: "add", replaces: false },
      { property: "stdin", kind: "delete", replaces: false },
      { property: "triggers", kind: "update", replaces: true },
    ]);
  });

  test("count by their values, secret or not", () => {
    expect(diff(localCommand, { stdin: secret("x") }, { stdin: "x" })).toEqual([]);
  });

  test("count as changed while they are unknown", () => {
    expect(diff(localCommand, { stdin: unknown }, { stdin: unknown })).toHaveLength(1);
  });
});

test("a preview knows the output only of a command that will not run", () => {
  expect(previewed({ create: "a" }, "a")).toMatchObject({ stdout: unknown, stderr: unknown });
  expect(previewed({}, undefined, { stdout: "kept" })).toEqual({ stdout: "kept", stderr: "" });
});

test("secrets are found and opened at any depth", () => {
  const nested = { environment: { A: "plain", B: secret(["deep"]) } };
  expect(hasSecret(nested)).toBe(true);
  expect(unwrap(nested)).toEqual({ environment: { A: "plain", B: ["deep"] } });
  expect(hasSecret(unwrap(nested))).toBe(false);
});
