import type { Command } from "commander";
import { example, stackArgument } from "./arguments";
import type { VerbContext } from "./verb-context";
import { exitStatus } from "../base/exit-status";
import type { StackName } from "../project/stacks";
import { runAlertsTest } from "../verbs/alerts";

/** Adds `alerts test`. */
export function addAlerts(program: Command, { folder, exit }: VerbContext): void {
  program
    .command("alerts")
    .description("test the notifications about backups")
    .command("test")
    .description("send a test alert by each channel, and show which accepted it")
    .addArgument(stackArgument("<stack>"))
    .option("--json", "print JSON")
    .action(async (stack: StackName, options: { readonly json?: boolean }) => {
      if (!(await runAlertsTest(folder(), stack, options))) exit(exitStatus.failed);
    })
    .addHelpText("after", example("npx stagecraft alerts test prod"));
}
