import { Command } from "commander";
import { example, stackArgument } from "./arguments";
import { addBackups } from "./backups-program";
import { addPitr } from "./pitr-program";
import { stackNames, type StackName } from "../project/stacks";
import { StepList } from "../terminal/steps";
import { runAccess } from "../verbs/access";
import { runBackup, type BackupCommandOptions } from "../verbs/backup";
import { runCa } from "../verbs/ca";
import { runDoctor, type DoctorOptions } from "../verbs/doctor";
import { runDown } from "../verbs/down";
import { runLog } from "../verbs/log";
import { runPassword } from "../verbs/password";
import { runPsql } from "../verbs/psql";
import { runRefresh, type RefreshOptions } from "../verbs/refresh";
import { runRollback } from "../verbs/rollback";
import { runPitrRestore } from "../verbs/pitr-restore";
import { runStart } from "../verbs/start";
import { runStatus } from "../verbs/status";
import { runUp } from "../verbs/up";
import { runUpgrades } from "../verbs/upgrades";
import { type VerbContext } from "./verb-context";

/** The operator's verbs. */
export function createProgram({ folder, exit }: VerbContext): Command {
  const program = new Command("stagecraft")
    .description("Development, staging and production servers on PostgreSQL.")
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("(npx stagecraft --help)")
    .configureHelp({ showGlobalOptions: false });

  program
    .command("start")
    .description("make this machine ready and bring a server up")
    .addArgument(stackArgument("[stack]").default("dev"))
    .action(async (stack: StackName) => {
      await runStart(folder(), stack);
    })
    .addHelpText("after", example("npm start -- staging"));

  program
    .command("up")
    .description("bring a server to what its code and Pulumi.<stack>.yaml say")
    .addArgument(stackArgument("<stack>"))
    .action(async (stack: StackName) => {
      await runUp(folder(), stack, new StepList(process.stdout));
    })
    .addHelpText("after", example("npx stagecraft up staging"));

  program
    .command("refresh")
    .description("give dev or staging the contents of a backup of another server")
    .addArgument(stackArgument("<stack>"))
    .option("--backup <id>", "which backup, by its id, or the newest verified one", "latest")
    .option("--preview", "only tell what would happen")
    .option("--json", "for a program")
    .action(async (stack: StackName, options: RefreshOptions) => {
      await runRefresh(folder(), stack, options);
    })
    .addHelpText("after", example("npx stagecraft refresh staging --preview"));

  program
    .command("rollback")
    .description("bring back what the last refresh replaced")
    .addArgument(stackArgument("<stack>"))
    .option("--json", "for a program")
    .action(async (stack: StackName, options: { json?: boolean }) => {
      await runRollback(folder(), stack, options);
    })
    .addHelpText("after", example("npx stagecraft rollback staging"));

  program
    .command("down")
    .description("stop a server; its data stays unless --data is said")
    .addArgument(stackArgument("<stack>"))
    .option("--data", "delete its data as well")
    .option("-y, --yes", "do not ask (for CI)")
    .option("--confirm <stack>", "with --yes: the stack's name again, wanted for production")
    .action(async (stack: StackName, options: { data?: boolean; yes?: boolean }) => {
      await runDown(folder(), stack, options);
    })
    .addHelpText("after", example("npx stagecraft down dev --data"));

  program
    .command("status")
    .description("show how the servers are and which data they have")
    .addArgument(stackArgument("[stack]"))
    .option("--json", "for a program")
    .action(async (stack: StackName | undefined, options: { json?: boolean }) => {
      await runStatus(folder(), stack === undefined ? stackNames : [stack], options);
    })
    .addHelpText("after", example("npx stagecraft status --json"));

  program
    .command("backup")
    .description("make a backup of a server now")
    .addArgument(stackArgument("<stack>"))
    .option("--job <name>", "with the databases and the format of a job of the schedule")
    .option("--json", "for a program")
    .action(async (stack: StackName, options: BackupCommandOptions) => {
      if (!(await runBackup(folder(), stack, options))) exit(1);
    })
    .addHelpText("after", example("npx stagecraft backup prod"));

  program
    .command("psql")
    .description("open psql on a server's database, as its owner")
    .addArgument(stackArgument("<stack>"))
    .argument("[args...]", "arguments of psql")
    .passThroughOptions()
    .action(async (stack: StackName, args: string[]) => {
      exit(await runPsql(folder(), stack, args));
    })
    .addHelpText("after", example('npx stagecraft psql dev -c "select count(*) from users"'));

  program
    .command("password")
    .description("print the password of a role, and nothing else")
    .addArgument(stackArgument("<stack>"))
    .argument("[role]", "application, readonly, monitor, or a person's name", "application")
    .action(async (stack: StackName, role: string) => {
      await runPassword(folder(), stack, role);
    })
    .addHelpText("after", example("npx stagecraft password dev readonly"));

  program
    .command("ca")
    .description("print what clients check the server's certificate with (sslrootcert)")
    .addArgument(stackArgument("<stack>"))
    .action(async (stack: StackName) => {
      await runCa(folder(), stack);
    })
    .addHelpText("after", example("npx stagecraft ca prod > prod-ca.pem"));

  program
    .command("access")
    .description("show who can connect to a server, from where, and what they are asked for")
    .addArgument(stackArgument("<stack>"))
    .action(async (stack: StackName) => {
      await runAccess(folder(), stack);
    })
    .addHelpText("after", example("npx stagecraft access staging"));

  program
    .command("upgrades")
    .description(
      "show which upgrade scripts a server's data has been through, and which are pending",
    )
    .addArgument(stackArgument("<stack>"))
    .option("--dry-run", "try the pending ones on a copy of the database")
    .option("--json", "for a program")
    .action(async (stack: StackName, options: { dryRun?: boolean; json?: boolean }) => {
      if (!(await runUpgrades(folder(), stack, options))) exit(1);
    })
    .addHelpText("after", example("npx stagecraft upgrades staging --dry-run"));

  program
    .command("restore")
    .description("make a server as it was at a moment, beside it; the server is not touched")
    .addArgument(stackArgument("<stack>"))
    .requiredOption(
      "--to <moment>",
      'latest, immediate, or "2026-11-21 14:05", with a zone or in UTC',
    )
    .option("--for <time>", "how long it stays", "24 h")
    .option("--json", "for a program")
    .action(async (stack: StackName, options: { to: string; for: string; json?: boolean }) => {
      await runPitrRestore(folder(), stack, options);
    })
    .addHelpText(
      "after",
      example('npx stagecraft restore prod --to "2026-11-21 14:05 Europe/Berlin"'),
    );

  addPitr(program, { folder, exit });

  program
    .command("log")
    .description("print a log that the agent keeps: the newest, or the named one")
    .addArgument(stackArgument("<stack>"))
    .argument("[name]", "the log's name")
    .option("--list", "print the names of all logs as JSON")
    .action(async (stack: StackName, name: string | undefined, options: { list?: boolean }) => {
      exit(await runLog(folder(), stack, name, options));
    })
    .addHelpText("after", example("npx stagecraft log dev"));

  program
    .command("doctor")
    .description("say what is missing on this machine and how to get it")
    .option("--mend", "get what the machine lacks first (for CI)")
    .option("--json", "for a program")
    .action(async (options: DoctorOptions) => {
      if (!(await runDoctor(folder(), options))) exit(1);
    })
    .addHelpText("after", example("npx stagecraft doctor"));

  addBackups(program, { folder, exit, stack: stackArgument });

  return program;
}
