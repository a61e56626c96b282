import { adapter } from "../call";
import { isRestartDue } from "../server/application/report";

export default adapter("application-due", async ({ args }) =>
  (await isRestartDue(args.database, args.started)) ? "due" : "not-due",
);
