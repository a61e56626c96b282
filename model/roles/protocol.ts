import { z } from "zod";
import { databaseNameProblem, serverKinds } from "../base/names";
import { databaseRoleNames, personNameProblem } from "./names";
import { passwordSchema } from "./password";
import { personRoleSchema } from "./people";
import { strangerSchema } from "./stranger";

/** A database whose roles and privileges are managed. */
const databaseSchema = z.strictObject({
  name: z.string().refine((name) => databaseNameProblem(name) === undefined),
  /** Passwords of the roles that log in. */
  application: passwordSchema,
  readonly: passwordSchema,
});

/** stdin of `stagecraft-agent roles`: all roles that Stagecraft creates on the server. A user no longer in it loses the login. */
export const rolesRequestSchema = z
  .strictObject({
    server: z.string().min(1),
    kind: z.enum(serverKinds),
    databases: z.array(databaseSchema),
    /** Password of the role that reads statistics. */
    monitor: passwordSchema,
    /** Users with rights in the databases of this kind of server. */
    people: z.array(
      z.strictObject({ name: z.string(), role: personRoleSchema, password: passwordSchema }),
    ),
  })
  .superRefine(({ databases, people }, context) => {
    const names = databases.map(({ name }) => name);
    for (const { name } of people) {
      const problem = personNameProblem(name, names);
      if (problem !== undefined) context.addIssue(`the user ${name} must ${problem}`);
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
  /** Names of the created roles. */
  created: z.array(z.string()),
  /** Other corrections, a sentence each. */
  changed: z.array(z.string()),
});
export type RolesResult = z.infer<typeof rolesResultSchema>;

/** Observed state of a server's roles: a part of `observe`. */
export const rolesObservationSchema = z.strictObject({
  /** Stagecraft's roles that differ from the declared ones, with the differences, e.g. `is a superuser`. */
  faults: z.array(z.strictObject({ role: z.string(), faults: z.array(z.string()) })),
  /** Declared roles of databases that do not exist. */
  missing: z.array(z.string()),
  /** Superusers other than the agent's; Stagecraft does not change them. */
  superusers: z.array(z.string()),
  /** Databases in which a role has missing or extra privileges. */
  rights: z.array(z.string()),
  /** What the privileges differ in, by database, e.g. `shop_readonly lacks SELECT on table public.orders`. */
  differences: z
    .array(z.strictObject({ database: z.string(), texts: z.array(z.string()) }))
    .optional(),
  /** Names of all of Stagecraft's login roles. */
  logins: z.array(z.string()),
  /** Whether the agent remembers what the last `up` applied; absent from an older agent, like all that follows. */
  recorded: z.boolean().optional(),
  /** Roles that Stagecraft did not create, with what they can do; Stagecraft does not change them. */
  strangers: z.array(strangerSchema).optional(),
  /** Managed databases with wrong owners or settings, e.g. `belongs to shop instead of shop_owner`. */
  databases: z
    .array(z.strictObject({ database: z.string(), faults: z.array(z.string()) }))
    .optional(),
  /** Names of the parameters that owners set for their databases, which is allowed. */
  parameters: z
    .array(z.strictObject({ database: z.string(), names: z.array(z.string()) }))
    .optional(),
});
export type RolesObservation = z.infer<typeof rolesObservationSchema>;
