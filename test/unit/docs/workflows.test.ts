import { mkdir, readFile, writeFile } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { codeOf, read, workflows } from "../../support/docs/shown-commands";
import { type Job, type Workflow, workflowFaults } from "../../support/docs/workflow-rules";
import { scratchFolder } from "../../support/files/scratch-folder";

const workflow = (name: string): Workflow =>
  parse(read(`.github/workflows/${name}.yml`)) as Workflow;
const jobs = workflows.flatMap((file) =>
  Object.entries((parse(read(file)) as Workflow).jobs).map(([name, job]) => ({ file, name, job })),
);

/** The script of a step, by its name. */
function script(job: Job | undefined, name: string): string {
  return job?.steps.find((step) => step.name === name)?.run ?? "";
}

/** Runs the script of a step as GitHub does. */
const runStep = (text: string, cwd: string, env: Readonly<Record<string, string>>) =>
  execa("bash", ["-e", "-c", text], { cwd, env, reject: false, all: true });

describe("the nightly refresh", () => {
  const { on, concurrency, jobs } = workflow("refresh-staging");
  const steps = jobs["refresh"]?.steps ?? [];
  const at = (text: string): number => steps.findIndex(({ run }) => run?.includes(text));

  test("runs at night and when somebody asks, one at a time, and is never stopped in the middle", () => {
    expect(on).toMatchObject({ schedule: [{ cron: "0 2 * * *" }], workflow_dispatch: {} });
    expect(concurrency).toEqual({ group: "stagecraft-staging", "cancel-in-progress": false });
  });

  test("shows what it would do, does it, and only then reads what changed", () => {
    const order = [
      at("--preview"),
      at('refresh staging --backup "$BACKUP"\n'.trim()),
      at("git diff"),
    ];
    expect(order[0]).toBeGreaterThan(0);
    const refresh = steps.findIndex(({ name }) => name === "Refresh");
    expect(refresh).toBe((order[0] ?? 0) + 1);
    expect(order[2]).toBe(refresh + 1);
    // Without an `if` of their own, steps behind one that failed are not run.
    for (const i of [order[0] ?? 0, refresh]) expect(steps[i]?.if).toBeUndefined();
    // One that failed leaves the file as it was, unless the new data is there and only the application is not well with it.
    expect(steps[order[2] ?? 0]?.if).toBe("success() || failure()");
    expect(jobs["record"]?.if).toBe(
      "(success() || failure()) && needs.refresh.outputs.change != ''",
    );
  });

  test("leaves its report, also when it failed; the folder is hidden, which has to be said", () => {
    expect(steps.find(({ uses }) => uses?.startsWith("actions/upload-artifact@"))).toMatchObject({
      if: "always()",
      with: { path: ".stagecraft/reports/", "include-hidden-files": true },
    });
  });

  test("removes the key of the host at its end", () => {
    expect(steps.find(({ name }) => name === "Remove the key")?.if).toBe("always()");
  });

  const commit = script(jobs["record"], "Commit the backup id");
  const file = "Pulumi.staging.yaml";
  const stack = (backup: string) => `config:\n  stagecraft:data:\n    backup: ${backup}\n`;

  /** A clone of a repository on GitHub, and what its main branch has in the end. */
  async function clone() {
    const folder = await scratchFolder();
    const git = (cwd: string, ...args: readonly string[]) =>
      execa("git", ["-c", "user.name=a", "-c", "user.email=a@b", ...args], { cwd });
    const remote = join(folder, "remote.git");
    await git(folder, "init", "--quiet", "--bare", "--initial-branch=main", remote);
    const work = join(folder, "work");
    await git(folder, "clone", "--quiet", remote, work);
    await writeFile(join(work, file), stack("20261120T032900Z"));
    await writeFile(join(work, "package.json"), "{}\n");
    await git(work, "add", ".");
    await git(work, "commit", "--quiet", "-m", "Begin");
    await git(work, "push", "--quiet", "-u", "origin", "HEAD:main");
    const env = { HOME: folder, GH_TOKEN: "token" };
    /** The output that the first job reads after these changes. */
    const readChange = async (change: () => Promise<void>): Promise<string> => {
      await change();
      const output = join(folder, "output");
      const text = script(jobs["refresh"], "Read the change of the stack file");
      await runStep(text, work, { ...env, GITHUB_OUTPUT: output });
      await git(work, "reset", "--quiet", "--hard");
      return /^patch=(.*)\n$/.exec(await readFile(output, "utf8"))?.[1] ?? "";
    };
    const record = (CHANGE: string) => runStep(commit, work, { ...env, CHANGE });
    const onMain = async (path: string) => (await git(remote, "show", `main:${path}`)).stdout;
    return { folder, work, git, readChange, record, onMain };
  }

  test("records the backup in Git, also when somebody has pushed meanwhile", async () => {
    const { folder, work, git, readChange, record, onMain } = await clone();
    const change = await readChange(() => writeFile(join(work, file), stack("20261121T032900Z")));
    const other = join(folder, "other");
    await git(folder, "clone", "--quiet", join(folder, "remote.git"), other);
    await writeFile(join(other, "new"), "");
    await git(other, "add", ".");
    await git(other, "commit", "--quiet", "-m", "Meanwhile");
    await git(other, "push", "--quiet");
    expect(await record(change)).toMatchObject({ exitCode: 0 });
    expect(await onMain(file)).toBe(stack("20261121T032900Z").trimEnd());
    expect((await git(join(folder, "remote.git"), "log", "--format=%s", "main")).stdout).toBe(
      "Refresh the data of staging\nMeanwhile\nBegin",
    );
    expect(await readFile(join(work, ".git", "config"), "utf8")).not.toContain("token\n");
  });

  test("records nothing when the file has not changed", async () => {
    const { readChange } = await clone();
    expect(await readChange(() => Promise.resolve())).toBe("");
  });

  test("records nothing but the text of that file, whatever the first job says", async () => {
    const { work, git, record, onMain } = await clone();
    const patches = [
      "--- a/package.json\n+++ b/package.json\n@@ -1 +1 @@\n-{}\n+{ }\n",
      `diff --git a/${file} b/${file}\nold mode 100644\nnew mode 100755\n`,
      `diff --git a/${file} b/${file}\ndeleted file mode 100644\n--- a/${file}\n+++ /dev/null\n@@ -1,3 +0,0 @@\n${stack("20261120T032900Z").trimEnd().replace(/^/gm, "-")}\n`,
      "--- a/.github/workflows/x.yml\n+++ b/.github/workflows/x.yml\n@@ -0,0 +1 @@\n+on: push\n",
      "rm -rf /\n",
    ];
    for (const patch of patches) {
      const { exitCode } = await record(Buffer.from(patch).toString("base64"));
      expect(exitCode, patch).not.toBe(0);
      expect((await git(work, "status", "--porcelain")).stdout).toBe("");
    }
    expect(await onMain(file)).toBe(stack("20261120T032900Z").trimEnd());
    expect(await onMain("package.json")).toBe("{}");
  });
});

describe("a preview", () => {
  const { on, jobs } = workflow("preview");

  test("is not made for other people's forks, whose code would see the secrets", () => {
    expect(Object.keys(on)).toEqual(["pull_request"]);
    expect(jobs["reviewed"]?.if).toBe(
      "github.event.pull_request.head.repo.full_name == github.repository",
    );
  });

  /** Runs the job that lists the stacks, with the reviewers of these environments; those that are not there do not exist. */
  async function listed(reviewers: Readonly<Record<string, number>>, unreviewed = "") {
    const folder = await scratchFolder();
    await mkdir(join(folder, "bin"));
    const answers = Object.entries(reviewers).map(
      ([name, count]) => `  repos/us/ours/environments/${name}) echo ${count} ;;\n`,
    );
    const gh = `#!/bin/bash\ncase $2 in\n${answers.join("")}  *) echo Not Found >&2; exit 1 ;;\nesac\n`;
    await writeFile(join(folder, "bin", "gh"), gh, { mode: 0o755 });
    const list = script(jobs["reviewed"], "List the stacks whose previews are reviewed");
    const output = join(folder, "output");
    const { exitCode, stdout } = await runStep(list, folder, {
      PATH: [join(folder, "bin"), process.env["PATH"]].join(delimiter),
      GITHUB_REPOSITORY: "us/ours",
      GITHUB_OUTPUT: output,
      UNREVIEWED: unreviewed,
    });
    expect(exitCode).toBe(0);
    const stacks = /^stacks=(.*)\n$/.exec(await readFile(output, "utf8"))?.[1] ?? "";
    return { stacks: JSON.parse(stacks) as unknown, stdout };
  }

  test("waits for a reviewer, or is not made: GitHub creates environments without any", async () => {
    expect(await listed({ "preview-staging": 1, "preview-prod": 2 })).toEqual({
      stacks: ["staging", "prod"],
      stdout: "",
    });
    expect(await listed({ "preview-staging": 1, "preview-prod": 0 })).toEqual({
      stacks: ["staging"],
      stdout:
        "::warning::no preview of prod: the environment preview-prod has no required reviewers (docs/ci.md)",
    });
    expect((await listed({})).stacks).toEqual([]);
  });

  test("is made without a reviewer only if a variable of the repository says so", async () => {
    expect((await listed({}, "staging")).stacks).toEqual(["staging"]);
    expect((await listed({}, "nonprod")).stacks).toEqual([]);
  });
});

test.each(workflows)("%s gives rights and secrets to nobody else", (file) => {
  expect(workflowFaults(read(file))).toEqual([]);
});

describe("a workflow is refused with", () => {
  const commit = "0123456789abcdef0123456789abcdef01234567";
  const checkout = `      - uses: actions/checkout@${commit} # v6.1.0\n        with:\n          persist-credentials: false\n`;
  const job = `  x:\n    timeout-minutes: 5\n    permissions:\n      contents: read\n    steps:\n${checkout}`;
  const good = `on:\n  pull_request:\npermissions: {}\njobs:\n${job}`;
  const secret = "      - run: make\n        env:\n          A: ${{ secrets.A }}\n";

  test("nothing when it is right", () => {
    expect(workflowFaults(good)).toEqual([]);
  });

  test.each([
    [
      "a tag",
      good.replace(`${commit} # v6.1.0`, "v6"),
      "actions/checkout@v6: not a commit with its version as a comment",
    ],
    [
      "no version",
      good.replace(" # v6.1.0", ""),
      `actions/checkout@${commit}: not a commit with its version as a comment`,
    ],
    [
      "a short commit",
      good.replace(commit, commit.slice(0, 7)),
      `actions/checkout@0123456 # v6.1.0: not a commit with its version as a comment`,
    ],
    [
      "broad rights",
      good.replace("permissions: {}", "permissions:\n  contents: read"),
      "permissions: must be {} for all jobs",
    ],
    [
      "GitHub's default rights",
      good.replace("permissions: {}\n", ""),
      "permissions: must be {} for all jobs",
    ],
    [
      "a job without rights of its own",
      good.replace("    permissions:\n      contents: read\n", ""),
      "job x: must name the permissions that it needs",
    ],
    [
      "all rights",
      good.replace("permissions:\n      contents: read", "permissions: write-all"),
      "job x: must name the permissions that it needs",
    ],
    [
      "writing beside packages",
      `${good.replace("contents: read", "contents: write")}      - run: npm ci\n`,
      "job x: may write, so it must not have secrets or run the code of packages",
    ],
    [
      "a token that stays",
      good.replace("persist-credentials: false", "fetch-depth: 1"),
      "job x: checkout leaves its token in .git/config",
    ],
    [
      "a trigger with secrets",
      good.replace("pull_request:", "pull_request_target:"),
      "pull_request_target runs with secrets for everybody's pull requests",
    ],
    [
      "a value in a script",
      `${good}      - run: echo \${{ github.head_ref }}\n`,
      "job x: a value of GitHub's in a script instead of env",
    ],
    [
      "secrets of the repository",
      `${good}${secret}`,
      "job x: secrets of the repository instead of an environment",
    ],
    ["secrets for all jobs", `env:\n  A: \${{ secrets.A }}\n${good}`, "secrets for all jobs"],
    [
      "an environment without reviewers",
      good.replace("    steps:", "    environment: prod\n    steps:"),
      "job x: secrets of an environment whose reviewers nobody checked",
    ],
    ["no time limit", good.replace("    timeout-minutes: 5\n", ""), "job x: never times out"],
  ])("%s", (_, text, fault) => {
    expect(workflowFaults(text)).toEqual([fault]);
  });

  test("a cache beside secrets", () => {
    const cache = `      - uses: actions/cache@${commit} # v5.0.5\n`;
    expect(workflowFaults(`${good}${cache}${secret}`)).toContain(
      "job x: a cache that unreviewed runs can write, next to secrets",
    );
  });
});

describe.each(jobs)("$file, job $name", ({ job }) => {
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
  const pipeline = parse(block) as Record<string, object>;
  expect(pipeline["refresh-staging"]).toMatchObject({
    resource_group: "staging",
    artifacts: { when: "always", paths: [".stagecraft/reports/", "change.patch"] },
  });
  // Packages run in no job that may push, and no preview starts by itself.
  expect(pipeline["record-staging"]).toMatchObject({ before_script: [] });
  expect(pipeline["preview"]).toMatchObject({
    environment: "preview-$STACK",
    rules: [{ when: "manual" }],
  });
  expect(codeOf(page)).toEqual(
    expect.arrayContaining([
      'npx stagecraft refresh staging --backup "$BACKUP" --preview',
      'npx stagecraft refresh staging --backup "$BACKUP" || failed=1',
      'test -z "$failed"',
    ]),
  );
});
