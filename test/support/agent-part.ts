import { build } from "esbuild";
import { projectFolder, type TestServer } from "./server";

const bundles = new Map<string, Promise<string>>();

/**
 * Calls one function of the agent in the agent's container, for parts that the verbs use only within longer work. Its
 * result comes back as JSON; when it throws, so does this, with the message.
 */
export async function callAgentPart<T>(
  server: TestServer,
  module: string,
  name: string,
  ...args: readonly unknown[]
): Promise<T> {
  const key = `${module} ${name}`;
  const bundle = bundles.get(key) ?? bundlePart(module, name);
  bundles.set(key, bundle);
  // A program on stdin, so its arguments stand in it.
  const program = `globalThis.partArguments = ${JSON.stringify(args)};\n${await bundle}`;
  const { status, stdout, stderr } = await server.run(["node", "-"], Buffer.from(program));
  if (status !== 0) throw new Error(stderr.trim());
  return JSON.parse(stdout) as T;
}

async function bundlePart(module: string, name: string): Promise<string> {
  const contents = `
    import { ${name} as part } from ${JSON.stringify(`./${module}`)};
    part(...globalThis.partArguments).then(
      (result) => process.stdout.write(JSON.stringify(result ?? null)),
      (error) => {
        process.stderr.write(error.name === "AgentError" ? error.message : String(error.stack));
        process.exitCode = 1;
      },
    );`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: projectFolder, loader: "ts" },
    bundle: true,
    platform: "node",
    format: "cjs",
    write: false,
    logLevel: "warning",
  });
  return outputFiles[0]?.text ?? "";
}
