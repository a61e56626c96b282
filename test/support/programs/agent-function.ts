import type { CommandResult, TestServer } from "../servers/server";
import { bundleProgram } from "./bundle";

/** Functions of the agent by name, each with its module, e.g. `{ tryConnections: "agent/server/pg-hba/try-connections.ts" }`. */
export type AgentFunctions = Readonly<Record<string, string>>;

/** Runs statements of TypeScript in the agent's container, for what no verb shows by itself; they may `await` the functions. */
export async function runInAgent(
  server: TestServer,
  functions: AgentFunctions,
  statements: string,
): Promise<CommandResult> {
  const text = `${imports(functions)}\nvoid (async () => { ${statements} })();`;
  return server.run(["node", "-"], Buffer.from(await bundleProgram({ text })));
}

/**
 * Calls one function of the agent in the agent's container, for parts that the verbs use only within longer work.
 * Arguments and result travel as JSON.
 * @throws with the function's message when it throws.
 */
export async function callAgentFunction<T>(
  server: TestServer,
  module: string,
  name: string,
  ...args: readonly unknown[]
): Promise<T> {
  const text = `${imports({ [name]: module })}
    ${name}(...globalThis.functionArguments).then(
      (result) => process.stdout.write(JSON.stringify(result ?? null)),
      (error) => {
        process.stderr.write(error.name === "AgentError" ? error.message : String(error.stack));
        process.exitCode = 1;
      },
    );`;
  // The program comes by stdin, so its arguments are part of it.
  const program = `globalThis.functionArguments = ${JSON.stringify(args)};\n${await bundleProgram({ text })}`;
  const { status, stdout, stderr } = await server.run(["node", "-"], Buffer.from(program));
  if (status !== 0) throw new Error(stderr.trim());
  return JSON.parse(stdout) as T;
}

function imports(functions: AgentFunctions): string {
  return Object.entries(functions)
    .map(([name, module]) => `import { ${name} } from ${JSON.stringify(`./${module}`)};`)
    .join("\n");
}
