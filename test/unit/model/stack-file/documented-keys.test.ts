import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { parse } from "yaml";
import { configKeys } from "../../../../model/stack-file/config-keys";
import { parseStackConfig } from "../../../../model/stack-file/parse";
import { stackFileConfigSchema } from "../../../../model/stack-file/schema";

const page = readFileSync("docs/configuration.md", "utf8");

test("the page on configuration lists exactly the settings there are", () => {
  const table = /^\| Key .*\n\|[ -|]*\n((?:\|.*\n)+)/m.exec(page)?.[1] ?? "";
  const rows = table
    .trimEnd()
    .split("\n")
    .map((row) =>
      row
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
  expect(rows).toEqual(
    configKeys.map(({ path, defaultValue, required, description }) => {
      const otherwise = required ? "required" : "–";
      return [
        `\`${path}\``,
        defaultValue === undefined ? otherwise : `\`${defaultValue}\``,
        description,
      ];
    }),
  );
});

test("Pulumi.yaml declares exactly the sections there are", () => {
  const project = parse(readFileSync("Pulumi.yaml", "utf8")) as { config: object };
  expect(Object.keys(project.config)).toEqual(Object.keys(stackFileConfigSchema.shape));
});

const passwords = { application: "long enough", readonly: "long enough", monitor: "long enough" };
const example = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? "";
test.each([
  ["the page's example", example],
  ["Pulumi.dev.yaml", readFileSync("Pulumi.dev.yaml", "utf8")],
  ["Pulumi.staging.yaml", readFileSync("Pulumi.staging.yaml", "utf8")],
  ["Pulumi.prod.yaml", readFileSync("Pulumi.prod.yaml", "utf8")],
])("%s is right but for the passwords", (_, text) => {
  const { config } = parse(text) as { config: Record<string, unknown> };
  const raw = Object.fromEntries(
    Object.entries(config).map(([key, value]) => [key.replace("stagecraft:", ""), value]),
  );
  expect(parseStackConfig("dev", { ...raw, passwords }).problems).toEqual([]);
});
