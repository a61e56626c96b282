import { expect, test } from "vitest";
import { shortenWholeBackup, wholeBackupLines } from "../../../../model/restore/whole-backup";

const databases = [
  { database: "audit", result: "restored", text: "20261121T032900Z passed" },
  { database: "crm", result: "failed", text: "no space\nleft" },
] as const;

test("each database, role and difference has a line, and a failure the command that tries again", () => {
  const whole = { databases: [...databases], roles: ["a role"], differences: ["a parameter"] };
  expect(wholeBackupLines("prod", whole)).toEqual([
    "crm is still missing: no space left",
    "audit ← 20261121T032900Z passed",
    "  to try again: npx stagecraft recover prod, after the cause is corrected",
    "  role      a role",
    "  differs   a parameter",
  ]);
});

test("the lines of thousands of databases and roles stay short, and failures come first", () => {
  const roles = Array.from({ length: 45 }, (_, n) => `${n} ${"x".repeat(500)}`);
  const many = Array.from({ length: 1000 }, (_, n) => ({
    ...databases[n === 999 ? 1 : 0],
    database: `${"d".repeat(50)}${n}`,
    text: "t".repeat(500),
  }));
  const whole = { databases: many, roles, differences: roles };
  const short = shortenWholeBackup(whole);
  expect(short.databases).toHaveLength(40);
  expect(short.roles).toHaveLength(41);
  expect(short.roles.at(-1)).toBe("and 5 more");
  const lines = wholeBackupLines("prod", whole);
  expect(lines[0]).toMatch(/^d+999 is still missing: t+…$/);
  expect(lines[40]).toMatch(/^also restored: d+39, .* and 810 more$/);
  const answer = { text: lines.join("\n"), databases: short.databases };
  expect(JSON.stringify(answer).length).toBeLessThan(56 * 1024);
});
