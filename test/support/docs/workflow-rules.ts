import { parse } from "yaml";

/** A step of a job. */
export interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}

/** A job of a workflow. */
export interface Job {
  readonly environment?: string;
  readonly needs?: string | readonly string[];
  readonly if?: string;
  readonly "timeout-minutes"?: number;
  readonly permissions?: string | Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly outputs?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/** A workflow of GitHub. */
export interface Workflow {
  readonly on: string | readonly string[] | Readonly<Record<string, unknown>>;
  readonly permissions?: string | Readonly<Record<string, string>>;
  readonly concurrency?: Readonly<Record<string, unknown>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

/** What in a workflow would let other people's code use rights or secrets that are not its own. */
export function workflowFaults(text: string): string[] {
  const workflow = parse(text) as Workflow;
  const { on, permissions, jobs, ...rest } = workflow;
  const triggers =
    typeof on === "string" ? [on] : Array.isArray(on) ? (on as string[]) : Object.keys(on);
  const faults = triggers
    .filter((trigger) => ["pull_request_target", "workflow_run", "issue_comment"].includes(trigger))
    .map((trigger) => `${trigger} runs with secrets for everybody's pull requests`);
  if (JSON.stringify(permissions) !== "{}") faults.push("permissions: must be {} for all jobs");
  if (JSON.stringify(rest).includes("secrets.")) faults.push("secrets for all jobs");
  for (const line of text.split("\n")) {
    const used = /^\s*(?:- )?uses: (.*)$/.exec(line)?.[1];
    if (used !== undefined && !/^[\w.-]+\/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(used))
      faults.push(`${used}: not a commit with its version as a comment`);
  }
  const isForPullRequests = triggers.includes("pull_request");
  for (const [name, job] of Object.entries(jobs))
    faults.push(...jobFaults(job, isForPullRequests, jobs).map((fault) => `job ${name}: ${fault}`));
  return faults;
}

function jobFaults(job: Job, isForPullRequests: boolean, jobs: Workflow["jobs"]): string[] {
  const faults: string[] = [];
  const hasSecrets = JSON.stringify(job).includes("secrets.");
  const { permissions } = job;
  if (permissions === undefined || typeof permissions === "string") {
    faults.push("must name the permissions that it needs");
  } else if (Object.values(permissions).includes("write")) {
    const runsOthersCode = job.steps.some(
      ({ uses, run = "" }) =>
        /\b(?:npm|npx|pulumi)\b/.test(run) ||
        !(uses ?? "actions/checkout@").startsWith("actions/checkout@"),
    );
    if (hasSecrets || runsOthersCode)
      faults.push("may write, so it must not have secrets or run the code of packages");
  }
  if (!((job["timeout-minutes"] ?? 0) > 0)) faults.push("never times out");
  if (hasSecrets && job.environment === undefined)
    faults.push("secrets of the repository instead of an environment");
  for (const { uses = "", run = "", with: given } of job.steps) {
    if (run.includes("${{")) faults.push("a value of GitHub's in a script instead of env");
    if (uses.startsWith("actions/checkout@") && given?.["persist-credentials"] !== false)
      faults.push("checkout leaves its token in .git/config");
    if (
      isForPullRequests &&
      hasSecrets &&
      (uses.startsWith("actions/cache") || "cache" in (given ?? {}))
    )
      faults.push("a cache that unreviewed runs can write, next to secrets");
  }
  if (isForPullRequests && job.environment !== undefined) {
    const needed = [job.needs ?? []].flat().map((name) => JSON.stringify(jobs[name] ?? {}));
    if (!needed.some((text) => text.includes("required_reviewers") && text.includes("head.repo")))
      faults.push("secrets of an environment whose reviewers nobody checked");
  }
  return faults;
}
