import { execa } from "execa";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { z } from "zod";
import { pgHbaResultSchema } from "../../model/pg-hba/rule/protocol";
import { formatDuration } from "../../model/base/units";
import { pulumiEnvironment } from "../../tools";
import { useProject } from "../support/stacks/project";
import { median, say, seconds } from "./measure";

const rounds = 5;
const project = useProject();

it(
  "shows what an up without changes costs beside an empty program, and how long a new rule takes",
  { timeout: 1_800_000 },
  async () => {
    await project.makeStack("dev");
    await up();
    const empty = await emptyProgram();
    const ours: number[] = [];
    const floor: number[] = [];
    for (let i = 0; i < rounds; i++) {
      floor.push(await seconds(empty));
      ours.push(await seconds(up));
    }
    say(
      `up, no changes    ${formatDuration(median(ours))}   an empty program of Pulumi: ${formatDuration(median(floor))}   ${(median(ours) / median(floor)).toFixed(2)}× (goal ≤ 3 s)`,
    );

    const whole: number[] = [];
    const agent: number[] = [];
    for (let i = 0; i < rounds; i++) {
      const rule = `host timesheets timesheets_readonly 192.0.2.${i}/32 scram-sha-256`;
      project.reconfigure("dev", { pgHba: { rules: [rule] } });
      whole.push(await seconds(up));
      agent.push(await secondsOfAgent());
    }
    say(
      `a new pg_hba rule ${formatDuration(median(whole))} from pulumi up to the end, of which in the agent ${formatDuration(median(agent))} (goals ≤ 4 s, ≤ 0.3 s)`,
    );
  },
);

async function up(): Promise<void> {
  const { exitCode, text } = await project.pulumi("up", "--yes", "--skip-preview", "-s", "dev");
  if (exitCode !== 0) throw new Error(text);
}

/** What Pulumi itself takes: a program without resources, with the same state, passphrase and Node. */
async function emptyProgram(): Promise<() => Promise<unknown>> {
  const folder = join(project.folder, "empty");
  mkdirSync(join(folder, "state"), { recursive: true });
  writeFileSync(join(folder, "index.js"), 'require("@pulumi/pulumi");\n');
  writeFileSync(join(folder, "package.json"), '{ "name": "empty", "main": "index.js" }\n');
  const runtime = "runtime:\n  name: nodejs\n  options:\n    typescript: false\n";
  writeFileSync(join(folder, "Pulumi.yaml"), `name: empty\n${runtime}`);
  symlinkSync(join(project.folder, "node_modules"), join(folder, "node_modules"));
  const env = {
    ...pulumiEnvironment(folder),
    PULUMI_BACKEND_URL: `file://${folder}/state`,
    PULUMI_CONFIG_PASSPHRASE: "the passphrase of tests",
  };
  const pulumi = (...args: readonly string[]) => execa("pulumi", args, { cwd: folder, env });
  await pulumi("stack", "init", "dev", "--non-interactive");
  await pulumi("config", "set", "--secret", "key", "value", "--stack", "dev");
  return () => pulumi("up", "--yes", "--skip-preview", "--stack", "dev", "--non-interactive");
}

const exportSchema = z.object({
  deployment: z.object({
    resources: z.array(
      z.object({
        urn: z.string(),
        outputs: z.object({ stdout: z.unknown().optional() }).optional(),
      }),
    ),
  }),
});

async function secondsOfAgent(): Promise<number> {
  const { text } = await project.pulumi("stack", "export", "--stack", "dev", "--show-secrets");
  const { resources } = exportSchema.parse(JSON.parse(text)).deployment;
  const found = resources.find(({ urn }) => /local:Command::dev-pg-hba$/.test(urn));
  const result = pgHbaResultSchema.parse(JSON.parse(String(found?.outputs?.stdout)));
  expect(result.changed).toBe(true);
  return result.seconds;
}
