import { adapter } from "../call";
import { agentStatus } from "../../contract/verb";
import { waitForApplication } from "../server/application/wait-for-application";

export default adapter("application-health", async ({ args }) => {
  const { problem, seconds } = await waitForApplication(Number(args.waited));
  return problem === undefined ? String(seconds) : { text: problem, status: agentStatus.waiting };
});
