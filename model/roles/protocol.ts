import { z } from "zod";
import { databaseNameProblem, serverKinds } from "../base/names";
import { databaseRoleNames, personNameProblem } from "./names";
import { passwordSchema } from "./password";
import { personRoleSchema } from "./people";

/** A database whose roles and rights are looked after. */
const databaseSchema = z.strictObject({
  name: z.string().refine((name) => databaseNameProblem(name) === undefined),
  /** Passwords of the roles that log in. */
  application: passwordSchema,
  readonly: passwordSchema,
});

/** stdin of `stagecraft-agent roles`: every role that Stagecraft makes on the server. A person who is not in it any more loses the login. */
export const rolesRequestSchema = z
  .strictObject({
    server: z.string().min(1),
    kind: z.enum(serverKinds),
    databases: z.array(databaseSchema),
    /** Password of the role that reads statistics. */
    monitor: passwordSchema,
    /** People with rights in the databases of this kind of server. */
    people: z.array(
      z.strictObject({ name: z.string(), role: personRoleSchema, password: passwordSchema }),
    ),
  })
  .superRefine(({ databases, people }, context) => {
    const names = databases.map(({ name }) => name);
    for (const { name } of people) {
      const problem = personNameProblem(name, names);
      if (problem !== undefined) context.addIssue(`the person ${name} must ${problem}`);
    }
    const all = [...names.flatMap(databaseRoleNames), ...people.map(({ name }) => name)];
    const twice = all.find((name, i) => all.indexOf(name) !== i);
    if (twice !== undefined) {
      context.addIssue(`${twice} would be the name of two roles; rename one of them`);
    }
  });
export type RolesRequest = z.infer<typeof rolesRequestSchema>;

/** stdout of `roles`. */
export const rolesResultSchema = z.strictObject({
  /** Names of the roles that were not there. */
  created: z.array(z.string()),
  /** What else was put right, a sentence each. */
  changed: z.array(z.string()),
});
export type RolesResult = z.infer<typeof rolesResultSchema>;

/** What is not as it should be about the roles of a server: a part of `observe`. */
export const rolesObservationSchema = z.strictObject({
  /** Roles of ours that differ, with what is wrong about each, e.g. `is a superuser`. */
  faults: z.array(z.strictObject({ role: z.string(), faults: z.array(z.string()) })),
  /** Roles that the databases here ought to have and have not. */
  missing: z.array(z.string()),
  /** Superusers besides the agent's own, which are not ours to touch. */
  superusers: z.array(z.string()),
  /** Databases in which some role has fewer or more rights than it should. */
  rights: z.array(z.string()),
  /** Names of all login roles of ours, also those without a fault. */
  logins: z.array(z.string()),
});
export type RolesObservation = z.infer<typeof rolesObservationSchema>;
