import * as pulumi from "@pulumi/pulumi";
import { UserError } from "../components/engine/user-error";
import { connectAddress, sshTunnelCommand } from "../model/base/host";
import { development } from "../stacks/dev";
import { production } from "../stacks/prod";
import { loadConfig } from "./load-config";
import { staging } from "../stacks/staging";

const environments = { dev: development, staging, prod: production };

export = async () => {
  const stack = pulumi.getStack();
  if (!isEnvironment(stack)) {
    const names = Object.keys(environments).join(", ");
    throw new UserError(`there is no environment for stack "${stack}"; the stacks are ${names}`);
  }
  const config = await loadConfig(stack);
  const { postgres, database, application, report } = environments[stack](config);
  const name = encodeURIComponent(config.database.name);
  const tunnel = sshTunnelCommand(config.host, postgres.address, postgres.port);
  return {
    /** Without the password. */
    url: `postgresql://${name}@${connectAddress(postgres.address)}:${postgres.port}/${name}`,
    port: postgres.port,
    /** What brings that port to this machine, for a server on another one. */
    ...(tunnel !== undefined && { tunnel }),
    /** Where the application answers. */
    ...(application && { application: `http://127.0.0.1:${application.port}` }),
    agent: postgres.names.agent,
    contents: config.data.source.name,
    verdict: database.verdict,
    /** What the last restore or refresh did, step by step. */
    report,
    /** What clients check the server's certificate with: `sslrootcert`. */
    ca: postgres.ca,
  };
};

function isEnvironment(stack: string): stack is keyof typeof environments {
  return Object.hasOwn(environments, stack);
}
