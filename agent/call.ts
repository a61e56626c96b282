import { text } from "node:stream/consumers";
import type { z } from "zod";
import {
  agentStatus,
  type AnswerOf,
  type ArgumentsOf,
  type RequestOf,
  type Verb,
} from "../contract/verb";
import type { VerbName, VerbOf } from "../contract/verbs";
import { AgentError, messageOf } from "./system/errors";

/** A call of a verb. */
export interface Call<V> {
  /** The server that this agent belongs to. */
  readonly server: string;
  readonly request: RequestOf<V>;
  readonly args: ArgumentsOf<V>;
  /** What followed the request on stdin, for a verb that has a body. */
  readonly body: string;
}

/** A text, for a verb that ends with another exit status than 0 and has not failed. */
export interface Unfinished {
  readonly text: string;
  readonly status: number;
}

/** What an adapter returns: the answer; for a stream its exit status, where it is not 0. */
type Result<V> = V extends { readonly kind: "json" }
  ? Promise<AnswerOf<V>>
  : V extends { readonly kind: "text" }
    ? Promise<AnswerOf<V> | Unfinished> | Promise<void>
    : Promise<number> | Promise<void>;

/** What runs a verb: the default export of `agent/verbs/<verb>.ts`. */
export interface Adapter {
  readonly verb: VerbName;
  readonly run: (call: never) => Promise<unknown>;
}

/** Makes an {@link Adapter}, whose types are those of the verb in the contract. */
export function adapter<Name extends VerbName>(
  verb: Name,
  run: (call: Call<VerbOf<Name>>) => Result<VerbOf<Name>>,
): Adapter {
  return { verb, run };
}

/** The arguments of a call by their names; raises an {@link AgentError} that shows the usage when one is missing. */
export function readArguments(
  name: string,
  { arguments: names = [] }: Verb,
  words: readonly string[],
): Readonly<Record<string, string | readonly string[] | undefined>> {
  const missing = names.some((each, i) => /\w$/.test(each) && words[i] === undefined);
  if (missing) {
    const usage = names.map((each) =>
      each.endsWith("?") ? `[${each.slice(0, -1)}]` : `<${each}>`,
    );
    throw new AgentError(`usage: stagecraft-agent ${name} ${usage.join(" ")}`);
  }
  const values = names.map((each, i) =>
    each.endsWith("...")
      ? ([each.slice(0, -3), words.slice(i)] as const)
      : ([each.replace("?", ""), words[i]] as const),
  );
  return Object.fromEntries<string | readonly string[] | undefined>(values);
}

/** The request on stdin, and what follows it. A request for another server is rejected, whatever it asks for. */
export async function readRequest(
  { request: schema, body }: Verb,
  server: string,
): Promise<{ readonly request?: unknown; readonly body?: string }> {
  if (!schema) return {};
  const input = await text(process.stdin);
  const end = body === undefined ? input.length : input.indexOf("\n");
  const json = parseJson(input.slice(0, end));
  const { server: addressee } = (json ?? {}) as { readonly server?: unknown };
  if (typeof addressee === "string" && addressee !== server) {
    throw new AgentError(
      `the request is for server ${addressee}, this is ${server}; check the names of the containers`,
    );
  }
  return { request: await check(await schema(), json), body: input.slice(end + 1) };
}

/** A value that fits a schema; raises an {@link AgentError} with everything that does not. */
export async function check<T>(schema: z.ZodType<T>, value: unknown): Promise<T> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const { prettifyError } = await import("zod");
  throw new AgentError(`the request does not fit this agent:\n${prettifyError(parsed.error)}`);
}

/** Writes what an adapter returned to stdout, and why it is a failure to stderr; the exit status. */
export function writeAnswer({ kind, failure, waits }: Verb, result: unknown): number {
  if (kind !== "json") {
    if (typeof result === "number") return result;
    if (typeof result === "string") process.stdout.write(`${result}\n`);
    if (typeof result !== "object") return agentStatus.done;
    const { text, status } = result as Unfinished;
    process.stdout.write(`${text}\n`);
    return status;
  }
  process.stdout.write(`${JSON.stringify(result)}\n`);
  const reason = failure?.(result as never);
  if (reason === undefined)
    return waits?.(result as never) ? agentStatus.waiting : agentStatus.done;
  process.stderr.write(`${reason}\n`);
  return agentStatus.failed;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new AgentError(`the request is not JSON: ${messageOf(error)}`, { cause: error });
  }
}
