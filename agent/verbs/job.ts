import { adapter } from "../call";
import { runJob } from "../daemon/jobs/run-job";

export default adapter("job", ({ args }) => runJob(args.kind, args.name));
