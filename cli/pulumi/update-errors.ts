import { restoreResultSchema } from "../../model/restore/protocol";
import { asProblem, Problem, Rejection, UnhealthyResult } from "../base/problem";
import { engineDownProblem } from "../../engine/problems";
import {
  otherFolderFix,
  conflictingContainer,
  containerConflictProblem,
  type ContainerConflict,
} from "./container-conflict";
import type { EngineError } from "./engine-events";
import { parseAgentProgress } from "./progress";

/** A failed update. */
export interface UpdateContext {
  readonly stack: string;
  /** Errors of the update, in order. */
  readonly errors: readonly EngineError[];
  /** What Pulumi wrote on stderr. */
  readonly stderr: string;
  /** The container whose name the update could not use. */
  readonly conflict?: ContainerConflict | undefined;
}

/** A stack's lock and the process that holds it. */
export interface Lock {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
}

/** Parses Pulumi's message about a locked stack; `undefined` for any other message. */
export function parseLock(stderr: string): Lock | undefined {
  const match = /created by (.*)@(\S+) \(pid (\d+)\) at (\S+)/.exec(stderr);
  if (!match || !stderr.includes("currently locked")) return undefined;
  const [, user = "", host = "", pid = "", since = ""] = match;
  return { user, host, pid: Number(pid), since };
}

/** The problem of a stack that another process is changing, or that a killed process left locked. */
export function lockProblem(stack: string, lock: Lock, holderIsGone: boolean): Problem {
  const since = lock.since
    .replace("T", " ")
    .replace(/:\d\d(Z|[+-].*)$/, (_, zone: string) => (zone === "Z" ? " UTC" : ` ${zone}`));
  const holder = `process ${lock.pid} of ${lock.user}@${lock.host}`;
  return holderIsGone
    ? new Problem(
        `stack ${stack} is locked by an update that was killed (${holder}, since ${since})`,
        `pulumi cancel -s ${stack}   then start again; completed changes are kept`,
      )
    : new Problem(
        `stack ${stack} is being changed by another update (${holder}, since ${since})`,
        `wait for it to finish; if its process no longer exists: pulumi cancel -s ${stack}`,
      );
}

/** The problems of a failed update, each once. */
export function updateProblems({ stack, errors, stderr, conflict }: UpdateContext): Problem[] {
  const reported = errors
    .map((error) => ({ ...error, message: withoutColours(error.message) }))
    .filter(({ message }) => !isEcho(message));
  const fromStderr = { message: withoutColours(stderr), isFromProgram: false };
  const found = reported.length > 0 ? reported : [fromStderr];
  if (found.every(({ message }) => message.trim() === "")) {
    return [new Problem(`pulumi was killed while it changed stack ${stack}`, "run it again")];
  }
  const problems = found.map((error) => problemOf(stack, error, conflict));
  const once = new Map(problems.map((problem) => [problem.message, problem]));
  return [...once.values()];
}

function problemOf(
  stack: string,
  error: EngineError,
  conflict: ContainerConflict | undefined,
): Problem {
  const message = error.message.trim();
  const name = conflictingContainer(message);
  if (name !== undefined) {
    const known = conflict?.name === name ? conflict : { name, isLeftBehind: false };
    return containerConflictProblem(stack, known);
  }
  for (const [pattern, problem] of knownProblems) {
    const match = pattern.exec(message);
    if (match) return problem(stack, match);
  }
  const step = interruptedStep(message);
  if (step !== undefined) {
    return new Problem(
      `the agent of ${stack} was interrupted (${step}): its process, its container or the engine was killed or lost the connection`,
      `check npx stagecraft status ${stack}, then re-run to resume`,
    );
  }
  const text = essentialText(message);
  if (isUnhealthyApplication(text)) return new UnhealthyResult(text);
  return error.isFromProgram ? new Rejection(text) : new Problem(text);
}

/** Recognises the agent's message about an application that is not healthy (`unhealthyText` in model/application/report.ts). */
function isUnhealthyApplication(text: string): boolean {
  return /^(?:the application of \S+|.* but its application) (?:does not become|is not) healthy/.test(
    text,
  );
}

const knownProblems: readonly (readonly [
  RegExp,
  (stack: string, match: RegExpExecArray) => Problem,
])[] = [
  [
    /passphrase must be set|unable to read PULUMI_CONFIG_PASSPHRASE_FILE/i,
    (stack, { input }) => {
      const file = /unable to read PULUMI_CONFIG_PASSPHRASE_FILE: open ([^:]+):/.exec(input)?.[1];
      return new Rejection(
        file === undefined
          ? `the passphrase that decrypts the secrets of stack ${stack} is missing`
          : `the passphrase file ${file} (PULUMI_CONFIG_PASSPHRASE_FILE) cannot be read`,
        [
          "restore it as .stagecraft/passphrase, or set PULUMI_CONFIG_PASSPHRASE;",
          "if it is lost, start over without losing data: docs/troubleshooting.md, Lost passphrase",
        ],
      );
    },
  ],
  [
    /incorrect passphrase|cannot decrypt|message authentication failed/i,
    (stack) =>
      new Rejection(
        `the passphrase does not decrypt the secrets of stack ${stack}`,
        `restore the .stagecraft/passphrase (or PULUMI_CONFIG_PASSPHRASE) that Pulumi.${stack}.yaml was set up with`,
      ),
  ],
  [
    // What a command says that Pulumi, or its official plugin, ended after Ctrl-C.
    /^(?:error: )?(?:update|destroy) canceled$|^(?:signal: (?:SIG\w+|terminated|killed|interrupt)|context canceled): running /im,
    (stack) =>
      new Problem(
        `the update of stack ${stack} was interrupted; completed changes are kept`,
        "re-run to resume",
      ),
  ],
  [
    /no stack named|stack '.*' not found/i,
    (stack) => new Problem(`stack ${stack} is not set up yet`, `npm start -- ${stack}`),
  ],
  [
    /cannot connect to the docker daemon|error pinging docker server|docker daemon running/i,
    () => asProblem(engineDownProblem()),
  ],
  [
    /Bind for (\S+):(\d+) failed: port is already allocated|listen tcp\d? (\S+):(\d+): bind: address already in use/i,
    (stack, match) => {
      const port = match[2] ?? match[4] ?? "";
      return new Problem(
        `port ${port} of ${match[1] ?? match[3] ?? "this machine"} is in use by another program`,
        [
          `find it with ss -ltnp 'sport = :${port}' and stop it,`,
          `or set another stagecraft:postgres port in Pulumi.${stack}.yaml`,
        ],
      );
    },
  ],
  [
    /unable to replace resource "[^"]*::([^":]+)"\s+as it is currently marked for protection/i,
    (stack, match) =>
      new Rejection(
        `the data of ${stack} is protected, and this change would replace ${match[1] ?? "it"}: nothing was changed`,
        `undo the change of host or namePrefix in Pulumi.${stack}.yaml`,
      ),
  ],
  [
    /unable to pull image ([^\s:]+(?:[:@][^\s:]+)*): .*/i,
    (stack, match) =>
      new Problem(
        `image ${match[1] ?? ""} is not on the engine and cannot be pulled`,
        `check application.image in Pulumi.${stack}.yaml; for a private registry: docker login`,
      ),
  ],
  [
    /network with name (\S+) already exists/i,
    (stack, match) =>
      new Problem(
        `network ${match[1] ?? ""} exists, but is not in the state of stack ${stack}: an update was killed, or another project folder created it`,
        [
          `after a killed update: docker network rm ${match[1] ?? ""}   then start again;`,
          ...otherFolderFix(stack),
        ],
      ),
  ],
];

/** Output lines of a failed command resource; `undefined` for any other message. */
function commandOutput(message: string): string[] | undefined {
  const at = message.search(/^(?:exit status|Process exited with status) \d+: running /m);
  if (at < 0) return undefined;
  const [, ...lines] = message.slice(at).split("\n");
  return lines.filter((line) => line.trim() !== "");
}

/** The last progress line of an agent that ended without an error message; `undefined` if there is an error message. */
function interruptedStep(message: string): string | undefined {
  const lines = commandOutput(message) ?? [];
  return lines.every(isProgress) ? lines.at(-1)?.trim() : undefined;
}

/** The text of the agent or the program, without what Pulumi and the shell add. */
function essentialText(message: string): string {
  const lines = commandOutput(message);
  if (lines === undefined) return withoutStackTrace(message);
  const result = lines.map(restoreResultText).find((text) => text !== undefined);
  if (result !== undefined) return result;
  const rest = lines.filter((line) => !isProgress(line));
  return rest.length > 0 ? rest.join("\n") : withoutStackTrace(message);
}

/** Whether a line reports progress. */
function isProgress(line: string): boolean {
  return /^\S.* …$/.test(line) || parseAgentProgress(line) !== undefined;
}

function restoreResultText(line: string): string | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return restoreResultSchema.safeParse(JSON.parse(line)).data?.text;
  } catch {
    return undefined;
  }
}

function withoutStackTrace(message: string): string {
  return message
    .replace(/^Running program '.*' failed with an unhandled exception:\n/, "")
    .replace(/^<ref \*\d+> /, "")
    .split("\n")
    .filter((line) => !/^\s+at .*(?:\(|:\d+:\d+)/.test(line))
    .join("\n")
    .replace(/^(?:error|Error): /, "")
    .trim();
}

/** Whether a message only repeats that the update failed. */
function isEcho(message: string): boolean {
  return /^(?:update|destroy|preview) failed$|resource monitor shut down/i.test(message.trim());
}

function withoutColours(text: string): string {
  return text.replace(/<\{%[^%]*%\}>/g, "").replace(/\u001b\[[0-9;]*m/g, "");
}
