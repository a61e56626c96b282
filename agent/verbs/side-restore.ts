import { adapter } from "../call";
import { createInstance } from "../recovery/instance/create";

export default adapter("side-restore", ({ request }) => createInstance(request));
