import { adapter } from "../call";
import { recoverMissing } from "../recovery/databases/recover-missing";

export default adapter("recover", ({ request }) => recoverMissing(request));
