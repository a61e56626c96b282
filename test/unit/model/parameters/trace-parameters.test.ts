import { expect, test } from "vitest";
import { checkParameters } from "../../../../model/parameters/check";
import { traceParameters } from "../../../../model/parameters/trace-parameters";

test("production logs connections and DDL, and every line of every server names its user", () => {
  const everywhere = {
    log_line_prefix: "%m [%p] %quser=%u,db=%d,client=%h ",
    log_lock_waits: "on",
  };
  expect(traceParameters("development")).toEqual(everywhere);
  expect(traceParameters("staging")).toEqual(everywhere);
  expect(traceParameters("production")).toEqual({
    ...everywhere,
    ...{ log_connections: "on", log_disconnections: "on", log_statement: "ddl" },
  });
});

test("all of them may be set in the stack file, which has precedence", () => {
  const given = traceParameters("production");
  const { problems } = checkParameters(given, { version: 17, memory: 2 ** 30 });
  expect(problems).toEqual([]);
});
