import { expect, test } from "vitest";
import { parsePgHba } from "../../../../../model/pg-hba/text/parse";
import { serverVerdicts } from "../../../../support/pg-hba/server-verdicts";

test.each(serverVerdicts)("%s: %s, as PostgreSQL judges it", (line, verdict) => {
  const errors = parsePgHba(`${line}\n`).problems.filter(({ severity }) => severity === "error");
  expect(errors.length === 0 ? "accepted" : "rejected", JSON.stringify(errors)).toBe(verdict);
});
