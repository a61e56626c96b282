import { hostProblem, localHost } from "../model/base/host";

/** The Docker engine of a host, or an agent there, cannot do what it was asked to. */
export class EngineProblem extends Error {
  override readonly name = "EngineProblem";

  /**
   * @param message what is wrong
   * @param fix what to do about it: a command or a sentence
   */
  constructor(
    message: string,
    readonly fix?: string,
  ) {
    super(message);
  }
}

/** Why the engine of a host cannot be used, by what docker wrote to stderr; `undefined` where it failed for another reason. */
export function engineProblem(host: string, stderr: string): EngineProblem | undefined {
  const isDown = /cannot connect to the docker daemon|error during connect|dial unix/i.test(stderr);
  const isDenied = /permission denied.*(?:docker\.sock|daemon socket)/is.test(stderr);
  if (!isDown && !isDenied) return undefined;
  if (host !== localHost) return remoteProblem(host, stderr);
  if (!isDenied) return engineDownProblem();
  return new EngineProblem(
    "this user may not use the Docker engine",
    "sudo usermod -aG docker $USER, then log in again",
  );
}

/** The problem of an engine that has failed a call which always succeeds, e.g. `docker version`. */
export function engineFailure(host: string, stderr: string): EngineProblem {
  if (host !== localHost) return remoteProblem(host, stderr);
  const reason = stderr.trim().split("\n").at(-1) ?? "";
  return new EngineProblem(`the Docker engine does not answer: ${reason}`, engineDownProblem().fix);
}

/** The problem of this machine's engine, or of the one in `DOCKER_HOST`, which Stagecraft never starts. */
export function engineDownProblem(dockerHost = process.env["DOCKER_HOST"] ?? ""): EngineProblem {
  return dockerHost === ""
    ? new EngineProblem("the Docker engine does not answer", "npm start   (starts it where it can)")
    : new EngineProblem(
        `no Docker engine answers at DOCKER_HOST=${dockerHost}`,
        "start that engine, or unset DOCKER_HOST to use this machine's own",
      );
}

/** The problem of another machine, by what ssh or docker there wrote to stderr. */
export function remoteProblem(host: string, stderr: string): EngineProblem {
  const { what, fix } = hostProblem(host, stderr);
  return new EngineProblem(what, fix);
}

/** The problem of a machine without Docker. */
export function missingDockerProblem(): EngineProblem {
  return new EngineProblem("docker is not installed", "npm start   (installs it where it can)");
}
