import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Progress } from "../../../../agent/system/progress";

const said: string[] = [];

beforeEach(() => {
  said.length = 0;
  vi.useFakeTimers({ now: new Date("2026-11-22T09:14:00Z") });
  vi.spyOn(process.stderr, "write").mockImplementation((line) => {
    said.push(String(line));
    return true;
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

test("a line of progress tells bytes, rows, tables and the time that is left, at most one in two seconds", () => {
  const progress = new Progress("restore", 2 ** 30);
  progress.countRows(1_200_000);
  progress.countRows(7_900_000);
  progress.advance(2 ** 28);
  expect(said).toEqual([]);
  vi.advanceTimersByTime(10_000);
  progress.advance(2 ** 28);
  progress.advance(1);
  expect(said).toEqual(["restore 50 % · 512 MB of 1 GB · 9.1 M rows · 2 tables · 10 s left\n"]);
});

test("what others have counted never goes back", () => {
  const progress = new Progress("restore", 1000);
  progress.update(400, 100_000, 1);
  vi.advanceTimersByTime(2000);
  progress.update(300, 0, 0);
  expect(said).toEqual(["restore 40 % · 400 B of 1000 B · 0.1 M rows · 1 table · 3 s left\n"]);
});
