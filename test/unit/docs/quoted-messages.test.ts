import { expect, test } from "vitest";
import { pages, read } from "../../support/docs/shown-commands";
import { readSource, sourcePaths } from "../house/sources";

/** Messages of Pulumi, PostgreSQL and Docker that the pages explain. */
const messagesOfOthers = [
  "the stack is currently locked",
  "no pg_hba.conf entry for host",
  "incorrect passphrase",
  "Cannot connect to the Docker daemon",
];

/** The messages in the first column of a page's tables headed "Message", without what varies: "…". */
function quotedMessages(page: string): string[] {
  const tables = [...page.matchAll(/^\| Message .*\n\|[ -|]*\n((?:\|.*\n)+)/gm)];
  const cells = tables.flatMap(([, rows = ""]) =>
    rows
      .trimEnd()
      .split("\n")
      .map((row) => row.split("|")[1] ?? ""),
  );
  return cells
    .flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, message = ""]) => message))
    .flatMap((message) => message.split("…").map((part) => part.trim()))
    .filter((part) => /\w{3}/.test(part));
}

const quoted = pages.flatMap((file) =>
  quotedMessages(read(file)).map((message) => ({ file, message })),
);

const code = sourcePaths()
  .filter((path) => /\.m?ts$/.test(path))
  .map(readSource)
  .join("\n");

test("pages quote messages", () => {
  expect(quoted.length).toBeGreaterThan(10);
});

test.each(quoted)("$file quotes a message that exists: $message", ({ message }) => {
  if (!messagesOfOthers.includes(message)) expect(code.includes(message)).toBe(true);
});
