import type { Client, ClientChannel } from "ssh2";
import {
  aString,
  commonInputs,
  previousOutput,
  inputProblems,
  shownStreams,
  unsupported,
  type CommandKind,
  type Expectation,
  type Log,
} from "./command-kind";
import { Output, type CommandOutput, type OutputLog } from "./output";
import { dial, type SshConnection } from "./ssh-connection";
import { unwrap, secret, type Value, type Values } from "./values";

const wholeNumber: Expectation = { is: Number.isInteger, reason: "must be a whole number" };

/** The inputs of a connection. */
const connectionInputs: Readonly<Record<string, Expectation>> = {
  agentSocketPath: aString,
  dialErrorLimit: wholeNumber,
  host: aString,
  hostKey: aString,
  password: aString,
  perDialTimeout: wholeNumber,
  port: wholeNumber,
  privateKey: aString,
  privateKeyPassword: aString,
  proxy: unsupported("connect directly, or install Pulumi's own plugin"),
  user: aString,
};

const connectionDefaults = { dialErrorLimit: 10, perDialTimeout: 15, port: 22, user: "root" };

/** `remote.Command`: runs commands on another machine over SSH. The connection is a secret in the state. */
export const remoteCommand: CommandKind = {
  type: "command:remote:Command",
  inputs: {
    ...commonInputs,
    connection: {
      is: (value) => {
        if (value === null || typeof value !== "object" || Array.isArray(value)) return false;
        return (
          typeof value["host"] === "string" &&
          inputProblems(value, connectionInputs, "a connection").length === 0
        );
      },
      reason: `must have a host, and may have ${Object.keys(connectionInputs).join(", ")} with the correct types; proxy is not supported by this build of the plugin`,
    },
  },
  required: ["connection"],
  defaults: ({ connection, ...given }) => ({
    addPreviousOutputInEnv: true,
    ...given,
    ...(connection !== undefined && { connection: withDefaults(connection) }),
  }),
  run,
};

function withDefaults(connection: Value): Value {
  const opened = unwrap(connection);
  return opened === null || typeof opened !== "object" || Array.isArray(opened)
    ? connection
    : secret({ ...connectionDefaults, ...opened });
}

async function run(
  command: string,
  inputs: Values,
  previous: Values,
  log: Log,
): Promise<CommandOutput> {
  const { client, close } = await dial(inputs["connection"] as unknown as SshConnection, log);
  try {
    const environment = (inputs["environment"] ?? {}) as Record<string, string>;
    await expectAccepted(client, environment);
    const env = { ...environment, ...previousOutput(inputs, previous) };
    const { channel, output, problem } = await exec(client, command, env, {
      ...shownStreams(inputs),
      line: log,
    });
    const { stdin } = inputs;
    channel.end(typeof stdin === "string" ? stdin : "");
    return output.of(command, await problem);
  } finally {
    close();
  }
}

/** A command running on another machine. */
interface Running {
  readonly channel: ClientChannel;
  readonly output: Output;
  /** Resolves when the command ends, with the error, or `undefined` on success. */
  readonly problem: Promise<string | undefined>;
}

async function exec(
  client: Client,
  command: string,
  env: Readonly<Record<string, string>>,
  log: OutputLog,
): Promise<Running> {
  return new Promise((resolve, reject) => {
    client.exec(command, { env }, (error, channel) => {
      if (error) {
        reject(error);
        return;
      }
      // A command that does not read its input closes the channel, which is not an error.
      channel.on("error", () => undefined);
      // Listens immediately, because the command may end before the caller awaits the result.
      const problem = problemOf(client, channel);
      const streams = { stdout: channel, stderr: channel.stderr };
      resolve({ channel, output: new Output(streams, log), problem });
    });
  });
}

async function problemOf(client: Client, channel: ClientChannel): Promise<string | undefined> {
  return new Promise((resolve) => {
    let problem: string | undefined =
      "wait: remote command exited without exit status or exit signal";
    channel.on("exit", (code: number | null, signal?: string) => {
      if (code === 0) problem = undefined;
      else if (code === null) problem = `Process exited with signal ${String(signal)}`;
      else problem = `Process exited with status ${String(code)}`;
    });
    const ended = (): void => {
      resolve(problem);
    };
    channel.on("close", ended);
    client.on("close", ended);
  });
}

/** sshd silently ignores variables it does not accept, so a first command checks whether they are set. */
async function expectAccepted(
  client: Client,
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  for (const [name, value] of Object.entries(environment)) {
    const { channel, output, problem } = await exec(
      client,
      `printenv ${name}`,
      { [name]: value },
      { stdout: false, stderr: false, line: () => undefined },
    );
    channel.end();
    if ((await problem) === undefined && output.of("", undefined).stdout === value) continue;
    throw new Error(
      `could not set environment variable "${name}": ssh: setenv failed; allow it with AcceptEnv in the host's sshd, or write VAR=value before the command`,
    );
  }
}
