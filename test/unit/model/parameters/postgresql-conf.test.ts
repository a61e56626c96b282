import { describe, expect, test } from "vitest";
import {
  overridingParameters,
  moveIncludesLast,
} from "../../../../model/parameters/postgresql-conf";

const includes = `include_if_exists = 'stagecraft-defaults.conf'
include_if_exists = 'stagecraft-tls.conf'
include_if_exists = 'stagecraft.conf'
include_if_exists = 'stagecraft-archive.conf'
`;
const own = "max_connections = 100\n#work_mem = 4MB\n";

describe("what stands behind Stagecraft's lines in postgresql.conf", () => {
  test.each<[string, string, string[]]>([
    ["nothing, as it was made", own + includes, []],
    ["nothing but a blank line", `${own}${includes}\n`, []],
    ["a setting", `${own}${includes}work_mem = '7MB'\n`, ["work_mem"]],
    [
      "settings in any writing, each once",
      `${own}${includes} Work_Mem '7MB'\nshop.motto=x\nwork_mem = 1\n# jit = on\n`,
      ["shop.motto", "work_mem"],
    ],
    ["one between them", own + includes.replace("\n", "\njit = off\n"), ["jit"]],
    ["a file of somebody's", `${own}${includes}include 'mine.conf'\n`, ["postgresql.conf"]],
    ["all of it, without Stagecraft's lines", own, ["postgresql.conf"]],
    ["all of it, when there is nothing", "", ["postgresql.conf"]],
  ])("%s", (_, text, names) => {
    expect(overridingParameters(text)).toEqual(names);
    expect(overridingParameters(moveIncludesLast(text))).toEqual([]);
  });

  test("comes before them and is lost by nothing", () => {
    expect(moveIncludesLast(`${own}${includes}work_mem = '7MB'`)).toBe(
      `${own}work_mem = '7MB'\n${includes}`,
    );
  });
});
