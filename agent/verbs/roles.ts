import { adapter } from "../call";
import { applyRoles } from "../server/roles/apply-roles";

export default adapter("roles", ({ request }) => applyRoles(request));
