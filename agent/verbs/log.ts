import { adapter } from "../call";
import { showLog } from "../system/show-log";

export default adapter("log", ({ args }) => showLog(args.name));
