import { expect, test } from "vitest";
import { parameterWarnings, startupErrors } from "../../../../model/parameters/startup-errors";

test("a bad settings file is told by its lines", () => {
  const log = `LOG:  skipping missing configuration file "/data/stagecraft-tls.conf"
LOG:  invalid value for parameter "TimeZone": "Nowhere"
LOG:  invalid value for parameter "shared_buffers": "40000GB"
HINT:  Value exceeds integer range.
FATAL:  configuration file "/data/postgresql.conf" contains errors
`;
  expect(startupErrors(log)).toBe(
    'invalid value for parameter "TimeZone": "Nowhere"; invalid value for parameter "shared_buffers": "40000GB" (Value exceeds integer range.)',
  );
});

test("what every start says is left out, whatever stands before it", () => {
  const log = `2026-11-22 20:03:50.613 UTC [133] LOG:  starting PostgreSQL 17.11
2026-11-22 20:03:50.613 UTC [133] app@db FATAL:  could not map anonymous shared memory: Cannot allocate memory
2026-11-22 20:03:50.613 UTC [133] HINT:  Use less.
2026-11-22 20:03:50.613 UTC [133] LOG:  database system is shut down
`;
  expect(startupErrors(log)).toBe(
    "could not map anonymous shared memory: Cannot allocate memory (Use less.)",
  );
});

test("what the program says before it has a log counts as well", () => {
  expect(startupErrors("postgres: too few connections\n")).toBe("too few connections");
});

test("a start without complaint says nothing", () => {
  expect(startupErrors("LOG:  starting PostgreSQL 17.11\nLOG:  database system is ready\n")).toBe(
    "",
  );
});

test("of the warnings of a start only those about settings count", () => {
  const log = `WARNING:  something else
WARNING:  invalid value for parameter "auto_explain.log_level": "loud"
WARNING:  invalid configuration parameter name "auto_explain.nosuch", removing it
DETAIL:  "auto_explain" is now a reserved prefix.
`;
  expect(parameterWarnings(log)).toBe(
    'invalid value for parameter "auto_explain.log_level": "loud"; invalid configuration parameter name "auto_explain.nosuch", removing it ("auto_explain" is now a reserved prefix.)',
  );
  expect(parameterWarnings("WARNING:  something else\n")).toBeUndefined();
});
