import { afterEach, expect, test, vi } from "vitest";
import { fitWords } from "../../../../cli/terminal/live-line";
import { StepList } from "../../../../cli/terminal/steps";

afterEach(() => {
  vi.unstubAllEnvs();
});

/** What a list of steps writes to a terminal of 80 columns. */
async function written(term: string): Promise<string> {
  vi.stubEnv("TERM", term);
  vi.stubEnv("NO_COLOR", undefined);
  let text = "";
  const write = (part: string): boolean => {
    text += part;
    return true;
  };
  const steps = new StepList({ isTTY: true, columns: 80, write } as unknown as NodeJS.WriteStream);
  await steps.run("pulumi up", async (report) => {
    report("creating container dev-postgres");
    return Promise.resolve({ detail: "1 created" });
  });
  steps.warn("one\ntwo");
  return text;
}

test("a terminal gets colours and a line that is rewritten", async () => {
  expect(await written("xterm")).toContain("\u001b[");
});

test("a dumb terminal gets no control codes", async () => {
  expect(await written("dumb")).toBe(
    " ✔ pulumi up                       1 created\n     warning: one\n       two\n",
  );
});

test.each([
  ["a short line", 80, "a short line"],
  ["creating container dev-postgres", 20, "creating container…"],
  ["creating container dev-postgres", 19, "creating container…"],
  ["creating container dev-postgres", 18, "creating…"],
  ["unbreakable", 6, "unbre…"],
])("%j in %d columns is %j", (line, width, fitted) => {
  expect(fitWords(line, width)).toBe(fitted);
  expect(fitted.length).toBeLessThanOrEqual(width);
});
