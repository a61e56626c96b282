import { describe, expect, test } from "vitest";
import { sha256 } from "../../../../../components/engine/digest";
import { parsePgHba } from "../../../../../model/pg-hba/text/parse";
import {
  isEditedManually,
  markerOf,
  renderManagedFile,
} from "../../../../../model/pg-hba/text/managed-file";

const { rules } = parsePgHba("local all postgres peer\nhost all all samenet scram-sha-256\n");
const file = renderManagedFile(rules, sha256);
const user = markerOf(file)?.user ?? "";

describe("the file of a server", () => {
  test("has a digest and a marker of its rules at its head", () => {
    const [head, marker, ...rest] = file.split("\n");
    const mark = user.replace("stagecraft_rules_", "");
    expect(mark).toMatch(/^[0-9a-f]{16}$/);
    expect(head).toContain(`digest ${mark}. Manual changes are rolled back.`);
    expect(marker).toBe(`local  all  ${user}  reject`);
    expect(parsePgHba(rest.join("\n")).rules).toMatchObject(
      rules.map(({ method }) => ({ method })),
    );
    expect(renderManagedFile(rules, sha256, "host")).toContain(
      `\nhost  all  ${user}  all  reject\n`,
    );
  });

  test.each([
    ["as it was written", file, false],
    ["for an external server", renderManagedFile(rules, sha256, "host"), false],
    ["with another line", `${file}host all all all trust\n`, true],
    ["with another marker", file.replace(user, "stagecraft_rules_0123456789abcdef"), true],
    [
      "of an earlier version, without a marker",
      file.replace(/\nlocal .*reject\n/, "\n").replace("Generated", "Made"),
      false,
    ],
    ["of somebody else", "local all all peer\n", false],
  ])("%s: edited manually or not", (_, text, edited) => {
    expect(isEditedManually(text, sha256)).toBe(edited);
  });

  test("has no marker if another program wrote it", () => {
    expect(markerOf("local all stagecraft_rules_0123456789abcdef reject\n")).toBeUndefined();
  });
});
