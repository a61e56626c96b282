import { adapter } from "../call";
import { listLogs } from "../system/restore-reports";

export default adapter("logs", () => listLogs());
