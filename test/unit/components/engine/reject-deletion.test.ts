import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import script from "../../../../components/engine/reject-deletion.sh";

const volume = "urn:pulumi:prod::stagecraft::a$docker:index/volume:Volume::prod-data";
const container = "urn:pulumi:prod::stagecraft::a$docker:index/container:Container::prod-agent";

/** Runs the script as a grandchild of a process with Pulumi's name and arguments. */
function deletion(args: readonly string[], environment: NodeJS.ProcessEnv = {}) {
  const plugin = 'sh -c "$SCRIPT"; exit $?';
  return spawnSync("sh", ["-c", plugin, ...args], {
    argv0: "/root/.pulumi/bin/pulumi",
    env: {
      PATH: process.env["PATH"],
      SCRIPT: script,
      REASON: "protected",
      FIX: "options",
      ...environment,
    },
    encoding: "utf8",
  });
}

test.each([
  [["destroy", "--yes", "--skip-preview"]],
  [["destroy", "--stack", "prod", "--exclude-protected=false"]],
  [["destroy", "--exclude", container]],
  [["destroy", "--target", volume, "--target-dependents"]],
  [["up", "--yes"]],
])("deleting a protected server is refused: pulumi %j", (args) => {
  expect(deletion(args)).toMatchObject({
    status: 1,
    stderr: "protected\noptions\n",
  });
});

test.each([
  [["destroy", "--yes", "--skip-preview", "--exclude-protected"]],
  [["destroy", "--ignore-protect", "--yes"]],
  [["up", "--ignore-protect=true"]],
  [["destroy", "--exclude", "**docker:index/volume:Volume::*"]],
  [["destroy", `--exclude=${volume}`]],
  [["destroy", "-x", volume]],
  [["destroy", "--target", container, "--target-dependents"]],
])("deleting what does not include protected volumes passes: pulumi %j", (args) => {
  expect(deletion(args)).toMatchObject({ status: 0, stderr: "" });
});

test("what another stack file may remove is deleted by an update", () => {
  const environment = { WHEN: "destroy" };
  expect(deletion(["up", "--yes"], environment)).toMatchObject({ status: 0 });
  for (const verb of ["destroy", "down", "dn"])
    expect(deletion([verb, "--yes"], environment)).toMatchObject({ status: 1 });
});

test("options in the environment count, too", () => {
  const environment = { PULUMI_OPTION_EXCLUDE_PROTECTED: "true" };
  expect(deletion(["destroy"], environment)).toMatchObject({ status: 0 });
});

test("outside of Pulumi nothing is deleted", () => {
  const { status } = spawnSync("sh", ["-c", script], { env: { PATH: process.env["PATH"] } });
  expect(status).toBe(1);
});
