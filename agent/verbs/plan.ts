import { adapter } from "../call";
import { planRestore } from "../recovery/databases/plan-recovery";

export default adapter("plan", ({ request }) => planRestore(request));
