import * as pulumi from "@pulumi/pulumi";
import type { ServerKind } from "../../model/base/names";
import type { Observation } from "../../model/observation/observation";
import type { ParameterValues } from "../../model/parameters/check";
import { parametersChange, parametersDrift } from "../../model/parameters/drift";
import { removedUsers, rolesDrift } from "../../model/roles/drift";
import { peopleWithLogin, peopleWithoutLogin, type People } from "../../model/roles/people";
import type { ObservedState } from "../engine/server-state";

/** A server whose drift is logged. */
type ObservedServer = pulumi.Resource & {
  readonly kind: ServerKind;
  readonly observed: Promise<ObservedState>;
};

/** Logs at preview the drift of a server and its roles, and the users who get no login. */
export function logDrift(server: ObservedServer, people: People = {}): void {
  for (const text of peopleWithoutLogin(server.kind, people)) void pulumi.log.info(text, server);
  const logins = peopleWithLogin(server.kind, people);
  void server.observed.then(({ faults, observation }) => {
    warn(server, [...faults, ...(observation ? driftOf(observation, logins) : [])]);
    const removed = observation ? removedUsers(observation.roles, logins) : [];
    for (const text of removed) void pulumi.log.info(text, server);
  });
}

function driftOf({ roles, backups }: Observation, logins: readonly string[]): string[] {
  return [...rolesDrift(roles, logins), ...backups.late];
}

/** Logs at preview the drift of PostgreSQL's parameters, and what a change of them requires. */
export function logParameterChange(server: ObservedServer, declared: ParameterValues): void {
  const logState = ({ settings, databases }: Observation): void => {
    const open = databases.reduce((sum, { connections }) => sum + connections, 0);
    const change = parametersChange(settings, declared, 17, open);
    if (change !== undefined) void pulumi.log.info(change, server);
    warn(server, parametersDrift(settings));
  };
  void server.observed.then(({ observation }) => {
    if (observation) logState(observation);
  });
}

function warn(server: ObservedServer, texts: readonly string[]): void {
  for (const text of texts) void pulumi.log.warn(text, server);
}
