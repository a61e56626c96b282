import { Problem } from "../base/problem";

/** The problem of this machine's engine, or of the one that `DOCKER_HOST` names, which is never started by us. */
export function engineDown(dockerHost = process.env["DOCKER_HOST"] ?? ""): Problem {
  return dockerHost === ""
    ? new Problem("the Docker engine does not answer", "npm start   (starts it where it can)")
    : new Problem(
        `no Docker engine answers at DOCKER_HOST=${dockerHost}`,
        "start that engine, or unset DOCKER_HOST to use this machine's own",
      );
}
