import { expect, test } from "vitest";
import {
  mergeSettings,
  parseBrought,
  renderBrought,
  selectSettings,
  settingConstants,
  type StoredSetting,
} from "../../../../model/base/database-settings";
import { databaseProperty } from "../../../../model/dump/database-properties";

const set = (name: string, value: string, role: string | null = null): StoredSetting => ({
  role,
  name,
  value,
});

test("what was set here wins; what came with the former contents goes with them", () => {
  const live = [set("TimeZone", "UTC"), set("app.mode", "old"), set("work_mem", "1MB", "r")];
  const earlier = [set("app.mode", "old"), set("TimeZone", "CET")];
  const incoming = [set("search_path", "app"), set("timezone", "CET")];
  expect(mergeSettings(incoming, live, earlier)).toEqual({
    brought: [set("search_path", "app")],
    own: [set("TimeZone", "UTC"), set("work_mem", "1MB", "r")],
  });
  expect(mergeSettings(undefined, live, earlier).brought).toEqual([set("app.mode", "old")]);
});

test("a source gives what belongs to its contents, a recovery everything, masks nothing of the application", () => {
  const settings = ["search_path", "work_mem", "app.key", "role", "stagecraft.x"].map((name) => ({
    name,
    value: "v",
  }));
  const taken = (all: boolean, masked: boolean): string[] =>
    selectSettings({ settings }, { all, masked }).taken.map(({ name }) => name);
  expect(taken(false, false)).toEqual(["search_path", "app.key"]);
  expect(taken(true, false)).toEqual(["search_path", "work_mem", "app.key"]);
  expect(taken(false, true)).toEqual(["search_path"]);
});

test("a list becomes one constant for each name", () => {
  expect(settingConstants("search_path", 'app, "Odd ""One", "$user"')).toEqual([
    "app",
    'Odd "One',
    "$user",
  ]);
  expect(settingConstants("search_path", '""')).toEqual([""]);
  expect(settingConstants("DateStyle", "ISO, DMY")).toEqual(["ISO, DMY"]);
});

test("the record of what came with contents is read leniently", () => {
  const settings = [set("a.b", "x"), set("search_path", "y")];
  expect(parseBrought(renderBrought(settings))).toEqual(settings);
  for (const text of [undefined, "", "{", "[1]", '{"a":1}']) expect(parseBrought(text)).toEqual([]);
});

test.each([
  ["ALTER DATABASE d SET search_path TO 'app', 'Odd'", 'app, "Odd"'],
  [`ALTER DATABASE "d" SET "TimeZone" TO 'Europe/Berlin'`, "Europe/Berlin"],
  ["ALTER DATABASE d SET work_mem = 5", "5"],
])("%s", (text, value) => {
  expect(databaseProperty(text)).toMatchObject({ kind: "setting", value });
});

test.each([
  ["ALTER DATABASE d CONNECTION LIMIT = 7", { kind: "connection limit", limit: 7 }],
  ["COMMENT ON DATABASE d IS 'x'", { kind: "comment", comment: "x" }],
  ["ALTER DATABASE d OWNER TO x", undefined],
  ["ALTER ROLE r IN DATABASE d SET search_path TO 'x'", undefined],
  ["ALTER DATABASE d SET a TO 'x'; DROP TABLE t", undefined],
])("%s", (text, property) => {
  expect(databaseProperty(text)).toEqual(property);
});
