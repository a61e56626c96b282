import { expect, test } from "vitest";
import { settingsOfMajor } from "../../../../agent/postgres/connect";

test.each([
  [15, { session_replication_role: "replica" }],
  [16, { session_replication_role: "replica" }],
  [17, {}],
  [Infinity, {}],
])("the superuser's sessions of PostgreSQL %d fire no event triggers", (major, settings) => {
  expect(settingsOfMajor(major)).toEqual(settings);
});
