import { adapter } from "../call";
import { reportApplication } from "../server/application/report";

export default adapter("application-report", ({ request, args, body }) =>
  reportApplication(request, {
    restarted: args.restarted === "restarted",
    started: args.started,
    seconds: Number(args.seconds),
    problem: args.problem === "" ? undefined : args.problem,
    log: body,
  }),
);
