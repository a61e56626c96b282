import { adapter } from "../call";
import { makeBaseBackup } from "../recovery/archive/base-backup";

export default adapter(
  "base-backup",
  async ({ server, request }) => (await makeBaseBackup(server, request.type)) ?? null,
);
