import { adapter } from "../call";
import { scheduleBackups } from "../daemon/jobs/apply-schedule";

export default adapter("backups-schedule", ({ request }) => scheduleBackups(request));
