import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { codeOf, read, workflows } from "../../support/docs/shown-commands";

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}
interface Job {
  readonly environment?: string;
  readonly if?: string;
  readonly "timeout-minutes"?: number;
  readonly env?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly concurrency: Readonly<Record<string, unknown>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const workflow = (name: string): Workflow =>
  parse(read(`.github/workflows/${name}.yml`)) as Workflow;
const jobs = workflows.flatMap((file) =>
  Object.entries((parse(read(file)) as Workflow).jobs).map(([name, job]) => ({ file, name, job })),
);

describe("the nightly refresh", () => {
  const { on, concurrency, permissions, jobs } = workflow("refresh-staging");
  const steps = jobs["refresh"]?.steps ?? [];
  const at = (text: string): number => steps.findIndex(({ run }) => run?.includes(text));

  test("runs at night and when somebody asks, one at a time, and is never stopped in the middle", () => {
    expect(on).toMatchObject({ schedule: [{ cron: "0 2 * * *" }], workflow_dispatch: {} });
    expect(concurrency).toEqual({ group: "stagecraft-staging", "cancel-in-progress": false });
    expect(permissions).toEqual({ contents: "write" });
  });

  test("shows what it would do, does it, and only then says so in Git", () => {
    const order = [
      at("--preview"),
      at('refresh staging --backup "$BACKUP"\n'.trim()),
      at("git push"),
    ];
    expect(order[0]).toBeGreaterThan(0);
    const refresh = steps.findIndex(({ name }) => name === "Refresh");
    expect(refresh).toBe((order[0] ?? 0) + 1);
    expect(order[2]).toBe(refresh + 1);
    // Somebody may have pushed meanwhile.
    expect(steps[order[2] ?? 0]?.run).toMatch(/git commit .*\ngit pull --rebase\ngit push\n$/);
    // Without an `if` of their own, steps behind one that failed are not run.
    for (const i of [order[0] ?? 0, refresh]) expect(steps[i]?.if).toBeUndefined();
    // One that failed leaves the file as it was, unless the new data is there and only the application is not well with it.
    expect(steps[order[2] ?? 0]?.if).toBe("success() || failure()");
  });

  test("leaves its report, also when it failed; the folder is hidden, which has to be said", () => {
    expect(steps.find(({ uses }) => uses?.startsWith("actions/upload-artifact@"))).toMatchObject({
      if: "always()",
      with: { path: ".stagecraft/reports/", "include-hidden-files": true },
    });
  });
});

test("a preview is not made for other people's forks, whose code would see the secrets", () => {
  const { on, permissions, jobs } = workflow("preview");
  expect(Object.keys(on)).toEqual(["pull_request"]);
  expect(permissions).toEqual({ contents: "read" });
  expect(jobs["preview"]?.if).toBe(
    "github.event.pull_request.head.repo.full_name == github.repository",
  );
});

describe.each(jobs)("$file, job $name", ({ job }) => {
  test("ends by itself, and uses versions of actions", () => {
    expect(job["timeout-minutes"]).toBeGreaterThan(0);
    for (const { uses } of job.steps)
      if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@v\d+$/);
  });

  test("has secrets from an environment alone, and puts nothing of GitHub's into a script", () => {
    const text = JSON.stringify(job);
    if (text.includes("secrets.")) expect(job.environment).toBeDefined();
    for (const { run = "" } of job.steps) expect(run).not.toContain("${{");
  });

  test("keeps no credentials in a cache, which pull requests can read", () => {
    for (const { uses, with: given } of job.steps)
      if (uses?.startsWith("actions/cache@"))
        expect(given?.["path"]).toBe("~/.cache/stagecraft\n~/.pulumi/bin\n~/.pulumi/plugins\n");
  });

  test("writes keys where nobody else can read them", () => {
    for (const { run = "" } of job.steps)
      if (run.includes("SSH_KEY")) expect(run).toMatch(/^umask 077\n/);
  });
});

test("the pipeline for GitLab is YAML and does the same", () => {
  const page = read("docs/ci.md");
  const block = /```yaml\n(stages:[^]*?)```/.exec(page)?.[1] ?? "";
  const pipeline = parse(block) as Record<string, { resource_group?: string; artifacts?: object }>;
  expect(pipeline["refresh-staging"]).toMatchObject({
    resource_group: "staging",
    artifacts: { when: "always", paths: [".stagecraft/reports/"] },
  });
  expect(codeOf(page)).toEqual(
    expect.arrayContaining([
      'npx stagecraft refresh staging --backup "$BACKUP" --preview',
      'npx stagecraft refresh staging --backup "$BACKUP" || failed=1',
      'test -z "$failed"',
    ]),
  );
});
