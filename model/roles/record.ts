import { z } from "zod";
import { sha256Schema } from "../base/sha256";

/** The roles that the last `up` applied; the agent remembers them, so that a preview detects later changes. */
export const rolesRecordSchema = z.strictObject({
  roles: z.record(
    z.string(),
    z.strictObject({
      /** Digest of the stored password (its SCRAM verifier); `null` for a role without a password. */
      password: sha256Schema.nullable(),
      memberships: z.array(z.strictObject({ of: z.string(), inherit: z.boolean() })),
    }),
  ),
});
export type RolesRecord = z.infer<typeof rolesRecordSchema>;
/** What the record contains of a role. */
export type RecordedRole = RolesRecord["roles"][string];
