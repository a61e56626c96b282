import { expect, it } from "vitest";
import { findingsOf } from "../../model/pg-hba/judge/findings";
import { parsePgHba } from "../../model/pg-hba/text/parse";
import { renderPgHba } from "../../model/pg-hba/text/render";
import { formatDuration } from "../../model/base/units";
import { median, say, seconds } from "./measure";

const lines = Array.from(
  { length: 10_000 },
  (_, i) => `hostssl timesheets role_${i % 97} 10.${i >> 8}.${i & 255}.0/24 scram-sha-256`,
);
const text = lines.join("\n");

it("reads, judges and writes ten thousand rules", async () => {
  const { rules } = parsePgHba(text);
  expect(rules).toHaveLength(lines.length);
  const times: Record<string, number> = {};
  for (const [name, work] of [
    ["read", () => parsePgHba(text)],
    ["find faults", () => findingsOf(rules, { kind: "production" })],
    ["write", () => renderPgHba(rules)],
  ] as const) {
    const rounds: number[] = [];
    for (let i = 0; i < 5; i++) rounds.push(await seconds(() => Promise.resolve(work())));
    times[name] = median(rounds);
  }
  const parts = Object.entries(times).map(([name, time]) => `${name} ${formatDuration(time)}`);
  say(`10,000 pg_hba rules  ${parts.join(", ")} (goal < 1 s in all)`);
});
