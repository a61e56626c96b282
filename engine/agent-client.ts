import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import type { AnswerOf, ArgumentsOf, RequestTo, Verb } from "../contract/verb";
import { verbs, type VerbName, type VerbOf } from "../contract/verbs";
import { EngineProblem } from "./problems";
import { docker, dockerOnTerminal, exitStatusOf, startDocker } from "./run";

/** Where an agent runs. */
export interface AgentContainer {
  /** `local`, or `ssh://user@host[:port]`. */
  readonly host: string;
  /** Name of the agent's container. */
  readonly agent: string;
}

/** Where the agent of a server runs. */
export interface AgentAddress extends AgentContainer {
  /** Name of the server, e.g. `prod`: the agent of another one rejects a request. */
  readonly server: string;
}

/** Verbs that answer with JSON. */
type JsonVerbName = {
  [Name in VerbName]: VerbOf<Name> extends { readonly kind: "json" } ? Name : never;
}[VerbName];

/** What a verb is called with. */
type Arguments<Name extends VerbName> = keyof ArgumentsOf<VerbOf<Name>> extends never
  ? unknown
  : { readonly args: ArgumentsOf<VerbOf<Name>> };
type Request<Name extends VerbName> =
  RequestTo<VerbOf<Name>> extends undefined
    ? unknown
    : { readonly request: RequestTo<VerbOf<Name>> };

interface CallOptions {
  /** Called with each line of progress. */
  readonly onLine?: ((line: string) => void) | undefined;
  /** How long it may take. @default as long as it needs */
  readonly timeoutMs?: number | undefined;
}

/**
 * Calls a verb of an agent: `call(agent, "offsite", { request: { of: "prod" } })`. Returns the answer, also that of a failure.
 * Raises an {@link EngineProblem} when there is no answer, with the agent's last line.
 */
export async function call<Name extends JsonVerbName>(
  address: RequestTo<VerbOf<Name>> extends undefined ? AgentContainer : AgentAddress,
  name: Name,
  options: Request<Name> & Arguments<Name> & CallOptions,
): Promise<AnswerOf<VerbOf<Name>>> {
  const { server, host, agent } = address as AgentContainer & { readonly server?: string };
  const { request, args, onLine, timeoutMs } = options as CallOptions & {
    readonly request?: object;
    readonly args?: ArgumentValues;
  };
  const verb: Verb = verbs[name];
  const input = verb.request && JSON.stringify({ server, ...request });
  const command = callCommand(agent, name, { args, interactive: input !== undefined });
  const { status, stdout, stderr } = await docker(host, command, { input, onLine, timeoutMs });
  if (stdout !== "") {
    const schema = await verb.answer?.();
    const answer = schema?.safeParse(parseJson(stdout));
    if (answer?.success === false) throw unreadableAnswer(agent);
    return answer?.data as AnswerOf<VerbOf<Name>>;
  }
  throw failure(agent, status, stderr);
}

/** Gives a text to a verb that reads stdin. Raises an {@link EngineProblem} when the verb fails. */
export async function send(address: AgentContainer, name: VerbName, input: string): Promise<void> {
  const command = callCommand(address.agent, name, { interactive: true });
  const { status, stderr } = await docker(address.host, command, { input });
  if (status !== 0) throw failure(address.agent, status, stderr);
}

/** Runs a verb on this terminal; its exit status. */
export async function callOnTerminal<Name extends VerbName>(
  address: AgentContainer,
  name: Name,
  options: Arguments<Name> & { readonly interactive?: boolean; readonly tty?: boolean },
): Promise<number> {
  const command = callCommand(address.agent, name, options);
  return dockerOnTerminal(address.host, command);
}

/** What a verb writes to stdout, while it runs. */
export interface AgentStream {
  readonly stdout: Readable;
  /** Rejected with an {@link EngineProblem} when the verb fails. */
  readonly done: Promise<void>;
}

/** Starts a verb that writes bytes to stdout. */
export async function receiveStream<Name extends VerbName>(
  address: AgentContainer,
  name: Name,
  options: Arguments<Name>,
): Promise<AgentStream> {
  const command = callCommand(address.agent, name, options as CommandOptions);
  const child = await startDocker(address.host, command, { stdio: ["ignore", "pipe", "pipe"] });
  const { stdout, stderr } = child;
  if (!stdout || !stderr) throw new Error("docker was started without pipes");
  const done = Promise.all([exitStatusOf(child), text(stderr)]).then(([status, said]) => {
    if (status !== 0) throw failure(address.agent, status, said);
  });
  return { stdout, done };
}

type ArgumentValues = Readonly<Record<string, string | readonly string[] | undefined>>;

interface CommandOptions {
  readonly args?: ArgumentValues | undefined;
  readonly interactive?: boolean;
  readonly tty?: boolean;
}

/** Arguments of docker for a call. */
function callCommand(
  agent: string,
  name: VerbName,
  { args, interactive = false, tty = false }: CommandOptions,
): string[] {
  const { arguments: names = [] }: Verb = verbs[name];
  const words = names.flatMap((each) => args?.[each.replace(/\?$|\.\.\.$/, "")] ?? []);
  const options = [...(interactive ? ["-i"] : []), ...(tty ? ["--tty", "--env", "TERM"] : [])];
  return ["exec", ...options, agent, "stagecraft-agent", name, ...words];
}

/** Why the agent's schema does not fit a request, in one line; `undefined` for any other failure. */
function misfit(stderr: string): string | undefined {
  const [, lines] = /^the request does not fit this agent:\n([^]+)$/m.exec(stderr) ?? [];
  if (lines === undefined) return undefined;
  const problems = lines.trim().replaceAll(/^✖ (.+)\n\s+→ at (.+)$/gm, "$2 $1");
  return `the agent rejected the request: ${problems.replaceAll(/^✖ /gm, "").split("\n").join("; ")}`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The problem of an agent whose version is another one than that of the caller. */
function unreadableAnswer(agent: string): EngineProblem {
  return new EngineProblem(
    `the agent ${agent} answers in a form that this version of Stagecraft cannot read`,
    "update the server to this version: pulumi up",
  );
}

function failure(agent: string, status: number, stderr: string): EngineProblem {
  // docker's own words; the agent's may be about other containers.
  if (
    /^Error(?: response from daemon)?: (?:No such container|container \S+ is not running)/im.test(
      stderr,
    )
  )
    return new EngineProblem(`the agent ${agent} is not running`, "npx stagecraft status");
  const reason = misfit(stderr) ?? stderr.trim().split("\n").at(-1) ?? "";
  if (reason !== "") return new EngineProblem(reason);
  return new EngineProblem(
    `the agent ${agent} ended with status ${status} and said nothing`,
    `see its log: docker logs ${agent}; then run the command again`,
  );
}
