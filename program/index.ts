import * as pulumi from "@pulumi/pulumi";
import { ToldError } from "../components/engine/user-error";
import { reachableAt, tunnelTo } from "../model/base/host";
import { development } from "../stacks/dev";
import { production } from "../stacks/prod";
import { readSettings } from "./load-settings";
import { staging } from "../stacks/staging";

const environments = { dev: development, staging, prod: production };

export = async () => {
  const stack = pulumi.getStack();
  if (!isEnvironment(stack)) {
    const names = Object.keys(environments).join(", ");
    throw new ToldError(`there is no environment for stack "${stack}"; the stacks are ${names}`);
  }
  const settings = await readSettings(stack);
  const { postgres, database, application, report } = environments[stack](settings);
  const name = encodeURIComponent(settings.database.name);
  const tunnel = tunnelTo(settings.host, postgres.address, postgres.port);
  return {
    /** Without the password. */
    url: `postgresql://${name}@${reachableAt(postgres.address)}:${postgres.port}/${name}`,
    port: postgres.port,
    /** What brings that port to this machine, for a server on another one. */
    ...(tunnel !== undefined && { tunnel }),
    /** Where the application answers. */
    ...(application && { application: `http://127.0.0.1:${application.port}` }),
    agent: postgres.names.agent,
    contents: settings.data.source.name,
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
