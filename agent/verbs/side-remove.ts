import { adapter } from "../call";
import { removeInstance } from "../recovery/instance/remove";

export default adapter("side-remove", async () => ({ removed: await removeInstance() }));
