import type { z } from "zod";
import type { Area } from "../model/observation/observation";

/**
 * Loads a schema when a call needs it: a call needs one or two of them, and loading them all takes longer than most calls.
 */
type Load<S> = () => Promise<S>;

/** Exit statuses of the agent. */
export const agentStatus = {
  done: 0,
  /** It failed, and stderr says why. */
  failed: 1,
  /** It waits for something: parameters for a restart of PostgreSQL, a check for a healthy application. */
  waiting: 3,
} as const;

interface Common<Names extends readonly string[]> {
  /**
   * Names of the arguments on the command line, in order: `"id"`, `"id?"` for an optional one, `"words..."` for all that
   * follow. A verb with an {@link Common.area} has none: its argument is the generation. @default none
   */
  readonly arguments?: Names;
  /**
   * The area whose generation is recorded once the verb has applied it; the next preview then finds it up to date.
   * Without a generation, as when an operator calls the verb, nothing is recorded.
   */
  readonly area?: Area;
}

interface JsonDefinition<
  Answer extends z.ZodType,
  Request extends z.ZodType = z.ZodUndefined,
  Names extends readonly string[] = [],
> extends Common<Names> {
  /** The JSON on stdin, with the name of the server it is for. @default none */
  readonly request?: Load<Request>;
  /** What follows the line of the request on stdin, e.g. `"the log"`. @default nothing */
  readonly body?: string;
  /** The JSON on stdout. */
  readonly answer: Load<Answer>;
  /** Why an answer is that of a failure: the text for stderr; `undefined` when it is not. */
  readonly failure?: (answer: z.output<Answer>) => string | undefined;
  /** Whether the change waits for something: its generation is not recorded, and the exit status is 3. */
  readonly waits?: (answer: z.output<Answer>) => boolean;
  /** The process ends with the answer, even when a timer or a connection is still open. @default false */
  readonly endsWithAnswer?: boolean;
}

/** A verb that answers with one line of JSON. */
export interface JsonVerb<
  Answer extends z.ZodType,
  Request extends z.ZodType = z.ZodUndefined,
  Names extends readonly string[] = [],
> extends JsonDefinition<Answer, Request, Names> {
  readonly kind: "json";
}

interface TextDefinition<
  Word extends string,
  Request extends z.ZodType = z.ZodUndefined,
  Names extends readonly string[] = [],
> extends Common<Names> {
  /** The JSON on stdin, with the name of the server it is for. @default none */
  readonly request?: Load<Request>;
  /** The words that it answers. @default any text, or none */
  readonly words?: readonly Word[];
}

/** A verb that answers with a plain word or text, or only with its exit status. */
export interface TextVerb<
  Word extends string = string,
  Request extends z.ZodType = z.ZodUndefined,
  Names extends readonly string[] = [],
> extends TextDefinition<Word, Request, Names> {
  readonly kind: "text";
}

/** A verb that reads or writes a stream of bytes, or runs until it is stopped. */
export interface StreamVerb<Names extends readonly string[] = []> extends Common<Names> {
  readonly kind: "stream";
}

/** Defines a {@link JsonVerb}. */
export function json<
  Answer extends z.ZodType,
  Request extends z.ZodType = z.ZodUndefined,
  const Names extends readonly string[] = [],
>(verb: JsonDefinition<Answer, Request, Names>): JsonVerb<Answer, Request, Names> {
  return { kind: "json", ...verb };
}

/** Defines a {@link TextVerb}. */
export function text<
  const Word extends string = string,
  Request extends z.ZodType = z.ZodUndefined,
  const Names extends readonly string[] = [],
>(verb: TextDefinition<Word, Request, Names> = {}): TextVerb<Word, Request, Names> {
  return { kind: "text", ...verb };
}

/** Defines a {@link StreamVerb}. */
export function stream<const Names extends readonly string[] = []>(
  verb: Common<Names> = {},
): StreamVerb<Names> {
  return { kind: "stream", ...verb };
}

/** Any verb, where the types of what it takes and answers do not matter. */
export interface Verb extends Common<readonly string[]> {
  readonly kind: "json" | "text" | "stream";
  readonly request?: Load<z.ZodType>;
  readonly body?: string;
  readonly answer?: Load<z.ZodType>;
  readonly failure?: (answer: never) => string | undefined;
  readonly waits?: (answer: never) => boolean;
  readonly endsWithAnswer?: boolean;
  readonly words?: readonly string[];
}

type RequestSchemaOf<V> = V extends { readonly kind: "stream" }
  ? z.ZodUndefined
  : V extends { readonly request?: Load<infer Request extends z.ZodType> }
    ? Request
    : never;

/** The request of a verb as the agent gets it; `undefined` where it has none. */
export type RequestOf<V> = z.output<RequestSchemaOf<V>>;

/** The request of a verb as a caller gives it, without the name of the server; `undefined` where it has none. */
export type RequestTo<V> =
  z.input<RequestSchemaOf<V>> extends infer R extends object ? Omit<R, "server"> : undefined;

/** What a verb answers. */
export type AnswerOf<V> = V extends {
  readonly kind: "json";
  readonly answer: Load<infer Answer extends z.ZodType>;
}
  ? z.output<Answer>
  : V extends { readonly kind: "text"; readonly words?: readonly (infer Word)[] }
    ? Word
    : undefined;

/** The arguments of a verb by their names. */
export type ArgumentsOf<V> = V extends {
  readonly arguments?: infer Names extends readonly string[];
}
  ? {
      readonly [Name in Names[number] as PlainName<Name>]: Name extends `${string}...`
        ? readonly string[]
        : Name extends `${string}?`
          ? string | undefined
          : string;
    }
  : never;

type PlainName<Name extends string> = Name extends `${infer Optional}?`
  ? Optional
  : Name extends `${infer Rest}...`
    ? Rest
    : Name;
