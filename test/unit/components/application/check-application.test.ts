import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import script from "../../../../components/application/check-application.sh";
import { scriptText } from "../../../../engine/shell-call";
import { scratchFolder } from "../../../support/files/scratch-folder";

/** A docker whose containers and agent are as the environment says; it prints the arguments of the report. */
const standIn = `#!/bin/bash
case "$*" in
  *application-due*) echo "$DUE" ;;
  *application-health*)
    if [ "$AGENT_SAYS" = healthy ]; then echo 1.234; else echo "$AGENT_SAYS"; exit 3; fi ;;
  *application-report*) printf '%s|' "\${@:6}"; cat ;;
  *RestartCount*) echo 0 ;;
  *StartedAt*) echo 2026-11-21T03:29:00Z ;;
  *State.Status*) echo "$STATE" ;;
  logs*) echo "a line" ;;
esac
`;

const found = { DUE: "not-due", AGENT_SAYS: "healthy", STATE: "running", HEALTH: "path" };

async function check(changes: Partial<typeof found>): Promise<string> {
  const folder = await scratchFolder();
  mkdirSync(join(folder, "bin"));
  writeFileSync(join(folder, "bin", "docker"), standIn, { mode: 0o755 });
  const { stdout, status } = spawnSync("sh", ["-c", scriptText(script)], {
    encoding: "utf8",
    input: "the request",
    env: {
      ...found,
      ...changes,
      PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
      AGENT: "agent",
      APPLICATION: "application",
      DATABASE: "timesheets",
      LIMIT: "0",
      WATCH: "0",
      GRACE: "1",
    },
  });
  expect(status).toBe(0);
  expect(stdout).toMatch(/\|the request\na line\n$/);
  return stdout.replace(/\|the request\na line\n$/, "");
}

test("a healthy application is reported with the seconds that the agent measured", async () => {
  expect(await check({})).toBe("not-restarted|2026-11-21T03:29:00Z|1.234|");
});

test("one whose database has other contents is restarted", async () => {
  expect(await check({ DUE: "due" })).toBe("restarted|2026-11-21T03:29:00Z|1.234|");
  expect(await check({ STATE: "restarting" })).toBe("restarted|2026-11-21T03:29:00Z|1.234|");
});

test("one that does not become healthy is reported with what the agent found", async () => {
  expect(await check({ AGENT_SAYS: `/health returns "503" {"problem":null}` })).toMatch(
    /^not-restarted\|2026-11-21T03:29:00Z\|\d+\|\/health returns "503" \{"problem":null\}$/,
  );
  expect(await check({ AGENT_SAYS: "" })).toMatch(/\|the agent cannot check it$/);
});

test("one without a path is as healthy as Docker says", async () => {
  const container = { HEALTH: "container" };
  expect(await check(container)).toMatch(/^not-restarted\|2026-11-21T03:29:00Z\|\d+\|$/);
  expect(await check({ ...container, STATE: "running healthy" })).toMatch(/\|\d+\|$/);
  expect(await check({ ...container, STATE: "exited" })).toMatch(/\|its container is exited$/);
  expect(await check({ ...container, STATE: "running unhealthy" })).toMatch(
    /\|its container is running unhealthy$/,
  );
});
