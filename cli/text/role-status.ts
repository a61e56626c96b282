import { rolesDrift } from "../../model/roles/drift";
import type { RolesObservation } from "../../model/roles/protocol";
import type { Paint } from "../base/paint";

/** Drift of a server's roles, and the parameters that owners set for their databases; no rows if there is neither. */
export function roleRows(roles: RolesObservation, paint: Paint): string[][] {
  const lines = [
    // Users without a login are reported by a preview, which reads the stack file.
    ...rolesDrift(roles, []).map((text) => paint.warn(text)),
    ...(roles.parameters ?? []).map(
      ({ database, names }) => `database ${database} has its own ${names.join(", ")}`,
    ),
  ];
  return lines.map((line, index) => [index === 0 ? "roles" : "", line]);
}
