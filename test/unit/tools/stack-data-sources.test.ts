import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findPins } from "../../../components/backups/pins";
import { scratchFolder } from "../../support/files/scratch-folder";

const id = "20261121T032900Z";
const dataOf = (text: string): string => `config:\n  stagecraft:data: ${text}\n`;

async function pinsOf(file: string, name = "Pulumi.staging.yaml"): Promise<unknown> {
  const folder = await scratchFolder();
  writeFileSync(join(folder, name), file);
  return findPins(folder, "acme", "prod");
}

test("a backup that another stack file names is retained", async () => {
  expect(await pinsOf(dataOf(`{ from: server:prod, backup: ${id} }`))).toEqual({
    pins: [{ backup: id, by: "staging" }],
    warnings: [],
  });
});

test.each([
  ["latest", '"latest"'],
  ["20261121", "20261121"],
  ["20261399T992900Z", '"20261399T992900Z"'],
  ["[20261121T032900Z]", '["20261121T032900Z"]'],
  ["{ id: 1 }", '{"id":1}'],
  ["2026-11-21", '"2026-11-21"'],
])("a backup %s in another stack file is named with file and key", async (backup, shown) => {
  expect(await pinsOf(dataOf(`{ from: server:prod, backup: ${backup} }`))).toEqual({
    pins: [],
    warnings: [
      `Pulumi.staging.yaml: stagecraft:data.backup must be a backup id like 20261121T032900Z, got ${shown}; no backup of prod is retained for it`,
    ],
  });
});

test.each([
  ["of another server", dataOf("{ from: server:staging, backup: latest }")],
  ["whose origin is no text", dataOf("{ from: 5, backup: latest }")],
  ["whose data is no section", dataOf("backup")],
  ["without a section", "config: backup\n"],
  ["that is a list", "- backup\n"],
])("a stack file %s concerns no backup of this one", async (_, file) => {
  expect(await pinsOf(file)).toEqual({ pins: [], warnings: [] });
});

test("a wrong word in its own stack file is reported by the checks of that file", async () => {
  const file = dataOf("{ from: server:prod, backup: latest }");
  expect(await pinsOf(file, "Pulumi.prod.yaml")).toEqual({ pins: [], warnings: [] });
});

test("each backup whose id is in a file that is not YAML is retained, and the file is named", async () => {
  const file = `config:\n  stagecraft:data: { from: server:prod, backup: ${id}\n`;
  expect(await pinsOf(file)).toEqual({
    pins: [{ backup: id, by: "staging" }],
    warnings: [
      expect.stringMatching(
        new RegExp(
          `^Pulumi\\.staging\\.yaml is not YAML: .+[^:]; every backup id in it is retained: ${id}$`,
        ),
      ),
    ],
  });
});
