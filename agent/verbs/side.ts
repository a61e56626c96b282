import { adapter } from "../call";
import { readInstance } from "../recovery/instance/instance";

export default adapter("side", async () => ({ side: (await readInstance()) ?? null }));
