import * as pulumi from "@pulumi/pulumi";
import type { ServerKind } from "../../model/base/names";
import type { Observation } from "../../model/observation/observation";
import type { ParameterValues } from "../../model/parameters/check";
import { parametersChange, parametersDrift } from "../../model/parameters/drift";
import { rolesDrift } from "../../model/roles/drift";
import { peopleWithLogin, peopleWithoutLogin, type People } from "../../model/roles/people";
import type { ObservedState } from "../engine/server-state";

/** Whose state is told. */
type Told = pulumi.Resource & {
  readonly kind: ServerKind;
  readonly observed: Promise<ObservedState>;
};

/** Says at preview what of a server and its roles is not as it should be, and which people get no login. */
export function logDrift(server: Told, people: People = {}): void {
  for (const text of peopleWithoutLogin(server.kind, people)) void pulumi.log.info(text, server);
  const logins = peopleWithLogin(server.kind, people);
  void server.observed.then(({ faults, observation }) => {
    warn(server, [...faults, ...(observation ? seenFaults(observation, logins) : [])]);
  });
}

function seenFaults({ roles, backups }: Observation, logins: readonly string[]): string[] {
  return [...rolesDrift(roles, logins), ...backups.late];
}

/** Says at preview what of a server's settings is not as it should be, and what a change of them takes. */
export function logParameterChange(server: Told, wanted: ParameterValues): void {
  const tell = ({ settings, databases }: Observation): void => {
    const open = databases.reduce((sum, { connections }) => sum + connections, 0);
    const change = parametersChange(settings, wanted, 17, open);
    if (change !== undefined) void pulumi.log.info(change, server);
    warn(server, parametersDrift(settings));
  };
  void server.observed.then(({ observation }) => {
    if (observation) tell(observation);
  });
}

function warn(server: Told, texts: readonly string[]): void {
  for (const text of texts) void pulumi.log.warn(text, server);
}
