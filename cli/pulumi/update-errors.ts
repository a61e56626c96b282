import { restoreResultSchema } from "../../model/restore/protocol";
import { Problem } from "../base/problem";
import { engineDown } from "../server/engine-down";
import {
  otherFolderFix,
  conflictingContainer,
  containerConflictProblem,
  type ContainerConflict,
} from "./container-conflict";
import { parseAgentProgress } from "./progress";

/** Where an update went wrong: what is needed to say how to go on. */
export interface UpdateContext {
  readonly stack: string;
  /** Error messages of the engine, in order. */
  readonly errors: readonly string[];
  /** What Pulumi wrote on stderr. */
  readonly stderr: string;
  /** A container that is in the way, with whose it is. */
  readonly conflict?: ContainerConflict | undefined;
}

/** A stack's lock, as Pulumi tells who holds it. */
export interface Lock {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  readonly since: string;
}

/** Reads who holds a stack's lock out of Pulumi's message; `undefined` when it is about something else. */
export function parseLock(stderr: string): Lock | undefined {
  const match = /created by (.*)@(\S+) \(pid (\d+)\) at (\S+)/.exec(stderr);
  if (!match || !stderr.includes("currently locked")) return undefined;
  const [, user = "", host = "", pid = "", since = ""] = match;
  return { user, host, pid: Number(pid), since };
}

/** The problem of a stack that somebody else is changing, or that was left locked by a process that is gone. */
export function lockProblem(stack: string, lock: Lock, holderIsGone: boolean): Problem {
  const since = lock.since
    .replace("T", " ")
    .replace(/:\d\d(Z|[+-].*)$/, (_, zone: string) => (zone === "Z" ? " UTC" : ` ${zone}`));
  const holder = `process ${lock.pid} of ${lock.user}@${lock.host}`;
  return holderIsGone
    ? new Problem(
        `stack ${stack} is locked by an update that was killed (${holder}, since ${since})`,
        `pulumi cancel -s ${stack}   then start again; what was done is kept`,
      )
    : new Problem(
        `stack ${stack} is being changed by another update (${holder}, since ${since})`,
        `wait for it; if it is gone for good: pulumi cancel -s ${stack}`,
      );
}

/** What went wrong in an update, in a person's words, each thing once. */
export function updateProblems({
  stack,
  errors,
  stderr,
  conflict: taken,
}: UpdateContext): Problem[] {
  const messages = errors.map(withoutColours).filter((message) => !isEcho(message));
  const told = messages.length > 0 ? messages : [withoutColours(stderr)];
  if (told.every((message) => message.trim() === "")) {
    return [new Problem(`pulumi was killed while it changed stack ${stack}`, "run it again")];
  }
  const problems = told.map((message) => problemOf(stack, message, taken));
  const once = new Map(problems.map((problem) => [problem.message, problem]));
  return [...once.values()];
}

function problemOf(stack: string, raw: string, taken: ContainerConflict | undefined): Problem {
  const message = raw.trim();
  const name = conflictingContainer(message);
  if (name !== undefined) {
    const known = taken?.name === name ? taken : { name, isLeftBehind: false };
    return containerConflictProblem(stack, known);
  }
  for (const [pattern, make] of knownProblems) {
    const match = pattern.exec(message);
    if (match) return make(stack, match);
  }
  const step = interruptedStep(message);
  if (step === undefined) return new Problem(essentialText(message));
  return new Problem(
    `the agent of ${stack} was ended in the middle of its work (${step}): it, its container or the engine was killed or lost its connection`,
    `npx stagecraft status ${stack}   tells which; then run it again, it goes on from what is there`,
  );
}

const knownProblems: readonly (readonly [
  RegExp,
  (stack: string, match: RegExpExecArray) => Problem,
])[] = [
  [
    /incorrect passphrase|passphrase must be set|cannot decrypt|message authentication failed/i,
    (stack) =>
      new Problem(
        `the passphrase does not open the secrets of stack ${stack}`,
        `put back the .stagecraft/passphrase (or PULUMI_CONFIG_PASSPHRASE) that Pulumi.${stack}.yaml was set up with`,
      ),
  ],
  [
    /^(?:error: )?(?:update|destroy) canceled$/i,
    (stack) =>
      new Problem(
        `the change of stack ${stack} was interrupted; what was done until then is kept`,
        "run it again to finish",
      ),
  ],
  [
    /no stack named|stack '.*' not found/i,
    (stack) => new Problem(`stack ${stack} is not set up yet`, `npm start -- ${stack}`),
  ],
  [
    /cannot connect to the docker daemon|error pinging docker server|docker daemon running/i,
    () => engineDown(),
  ],
  [
    /Bind for (\S+):(\d+) failed: port is already allocated|listen tcp\d? (\S+):(\d+): bind: address already in use/i,
    (stack, match) => {
      const port = match[2] ?? match[4] ?? "";
      return new Problem(
        `port ${port} of ${match[1] ?? match[3] ?? "this machine"} is taken by another program`,
        [
          `see which: ss -ltnp 'sport = :${port}'   and stop it,`,
          `or set another stagecraft:postgres port in Pulumi.${stack}.yaml`,
        ],
      );
    },
  ],
  [
    /unable to replace resource "[^"]*::([^":]+)"\s+as it is currently marked for protection/i,
    (stack, match) =>
      new Problem(
        `the data of ${stack} is protected, and this change would replace ${match[1] ?? "it"}: nothing was changed`,
        `take back what was changed of host or namePrefix in Pulumi.${stack}.yaml`,
      ),
  ],
  [
    /unable to pull image ([^\s:]+(?:[:@][^\s:]+)*): .*/i,
    (stack, match) =>
      new Problem(
        `the image ${match[1] ?? ""} is not on the engine, and cannot be pulled`,
        `check application.image in Pulumi.${stack}.yaml; for a registry that asks who you are: docker login`,
      ),
  ],
  [
    /network with name (\S+) already exists/i,
    (stack, match) =>
      new Problem(
        `network ${match[1] ?? ""} is there, but stack ${stack} does not know it: an update was killed, or another project folder made it`,
        [
          `after a killed update: docker network rm ${match[1] ?? ""}   then start again;`,
          ...otherFolderFix(stack),
        ],
      ),
  ],
];

/** What a command of Pulumi printed, line by line; `undefined` when the message is not about one. */
function commandOutput(message: string): string[] | undefined {
  const at = message.search(/^(?:exit status|Process exited with status) \d+: running /m);
  if (at < 0) return undefined;
  const [, ...lines] = message.slice(at).split("\n");
  return lines.filter((line) => line.trim() !== "");
}

/** What the agent was doing when it was ended without a word about it. */
function interruptedStep(message: string): string | undefined {
  const lines = commandOutput(message) ?? [];
  return lines.every(isProgress) ? lines.at(-1)?.trim() : undefined;
}

/** The text of the agent or of the program, without what Pulumi and the shell put around it. */
function essentialText(message: string): string {
  const lines = commandOutput(message);
  if (lines === undefined) return withoutStackTrace(message);
  const result = lines.map(restoreResultText).find((text) => text !== undefined);
  if (result !== undefined) return result;
  const words = lines.filter((line) => !isProgress(line));
  return words.length > 0 ? words.join("\n") : withoutStackTrace(message);
}

/** How far something is, or what is being done. */
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

/** Pulumi says once more that the update failed. */
function isEcho(message: string): boolean {
  return /^(?:update|destroy|preview) failed$|resource monitor shut down/i.test(message.trim());
}

function withoutColours(text: string): string {
  return text.replace(/<\{%[^%]*%\}>/g, "").replace(/\u001b\[[0-9;]*m/g, "");
}
