import { adapter } from "../call";
import { pruneNow } from "../backup/remove";

export default adapter("backups-forget", ({ request }) => pruneNow(request));
