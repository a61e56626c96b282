import { adapter } from "../call";
import { backupNow } from "../daemon/jobs/backup-now";

export default adapter("backup", ({ request }) => backupNow(request));
