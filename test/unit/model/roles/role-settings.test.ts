import { expect, test } from "vitest";
import { desiredRoles } from "../../../../model/roles/desired-roles";
import { settingsOf } from "../../../../model/roles/role-settings";

const password = "long enough";

/** The settings of each role that has some, on a server of that kind. */
function settings(kind: "development" | "staging" | "production"): Record<string, unknown> {
  const roles = desiredRoles({
    ...{ server: "one", kind, monitor: password },
    databases: [{ name: "shop", application: password, readonly: password }],
    people: [
      { name: "ada", role: "DbAdmin", password },
      { name: "bob", role: "Developer", password },
      { name: "cy", role: "Tester", password },
      { name: "dan", role: "HelpDesk", password },
    ],
  });
  const all = new Map(roles.map((role) => [role.name, role]));
  return Object.fromEntries(
    roles
      .map((role) => [role.name, settingsOf(role, all)] as const)
      .filter(([, found]) => Object.keys(found).length > 0),
  );
}

const reading = {
  default_transaction_read_only: "on",
  statement_timeout: "15min",
  temp_file_limit: "2GB",
};

test("the read-only role and users who only read have limits, nobody else has settings", () => {
  expect(settings("staging")).toEqual({ shop_readonly: reading, bob: reading });
  expect(settings("development")).toEqual({ shop_readonly: reading });
  expect(settings("production")).toEqual({ shop_readonly: reading });
});

test("a user without a group, or of one that is not known, has none", () => {
  expect(settingsOf({ mark: "person", memberships: [] }, new Map())).toEqual({});
  expect(settingsOf({ mark: "person", memberships: [{ of: "other" }] }, new Map())).toEqual({});
});
