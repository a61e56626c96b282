import { adapter } from "../call";
import { latestReport } from "../system/restore-reports";

export default adapter("report", () => latestReport());
