import { expect, test } from "vitest";
import { defusePresets } from "../../../../model/defuse/presets";
import { defuseSchema } from "../../../../model/defuse/statement";
import { defuse } from "../../../../stacks/defuse";

const statement = { name: "mail off", sql: "DELETE FROM mail", expect: "SELECT true" };

test("the example's statements and the presets are JSON that the agent checks again", () => {
  for (const statements of [defuse, defusePresets.openAcs(), []])
    expect(defuseSchema.parse(JSON.parse(JSON.stringify(statements)))).toEqual(statements);
});

test.each([
  [[{ ...statement, expect: " " }], "must not be empty"],
  [[{ ...statement, name: "" }], "must not be empty"],
  [[{ ...statement, when: "now" }], 'Unrecognized key: "when"'],
  [[statement, { ...statement }], 'two statements are named "mail off"; rename one of them'],
])("a statement is refused: %j", (statements, text) => {
  expect(defuseSchema.safeParse(statements).error?.issues[0]?.message).toBe(text);
});
