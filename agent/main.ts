import { agentStatus, type Verb } from "../contract/verb";
import { verbs } from "../contract/verbs";
import { readArguments, readRequest, writeAnswer, type Adapter } from "./call";
import { AgentError, messageOf } from "./system/errors";

/** The server that this agent belongs to. */
const server = process.env.STAGECRAFT_SERVER ?? "";

/**
 * Runs a verb of the contract. Its adapter is loaded now, because every call is a start of the agent: nothing but what
 * every call needs is imported above.
 */
async function main([name = "", ...words]: readonly string[]): Promise<void> {
  const verb = findVerb(name);
  const args = readArguments(name, verb, words);
  const { request, body = "" } = await readRequest(verb, server);
  // The bundle holds every file of the folder (esbuild, "Glob-style imports").
  const { default: adapter } = (await import(`./verbs/${name}.ts`)) as { default: Adapter };
  const result = await adapter.run({ server, request, args, body } as never);
  process.exitCode = writeAnswer(verb, result);
  const [generation] = words;
  if (verb.area && generation !== undefined && process.exitCode === agentStatus.done) {
    const { saveGeneration } = await import("./server/applied-generations.js");
    await saveGeneration(verb.area, generation);
  }
  if (verb.endsWithAnswer) process.exit();
}

function findVerb(name: string): Verb {
  const table: Readonly<Record<string, Verb>> = verbs;
  const verb = Object.hasOwn(table, name) ? table[name] : undefined;
  if (verb) return verb;
  throw new AgentError(`unknown verb "${name}"; it is one of: ${Object.keys(table).join(", ")}`);
}

async function failureText(error: unknown): Promise<string> {
  if (error instanceof AgentError) return error.message;
  if (!(error instanceof Error)) return `unexpected: ${messageOf(error)}`;
  const { originalStack } = await import("./system/source-map.js");
  return `unexpected: ${originalStack(error)}`;
}

main(process.argv.slice(2)).catch(async (error: unknown) => {
  process.stderr.write(`${await failureText(error)}\n`);
  process.exitCode = agentStatus.failed;
});
