import { Command, Option } from "commander";
import { example, stackArgument } from "./arguments";
import { exitStatus, exitStatusHelp } from "../base/exit-status";
import { addAlerts } from "./alerts-program";
import { addBackups } from "./backups-program";
import { addPitr } from "./pitr-program";
import { parseStackName, stackNames, type StackName } from "../project/stacks";
import { StepList } from "../terminal/steps";
import { runAccess } from "../verbs/access";
import { runBackup, type BackupCommandOptions } from "../verbs/backup";
import { runCa } from "../verbs/ca";
import { runDoctor, type DoctorOptions } from "../verbs/doctor";
import { runDown } from "../verbs/down";
import { runLog } from "../verbs/log";
import { runOffboard } from "../verbs/offboard";
import { runPassword } from "../verbs/password";
import { runPsql } from "../verbs/psql";
import { runRecover, type RecoverOptions } from "../verbs/recover";
import { runRefresh, type RefreshOptions } from "../verbs/refresh";
import { runRollback } from "../verbs/rollback";
import { runStart } from "../verbs/start";
import { runStatus } from "../verbs/status";
import { runUp } from "../verbs/up";
import { runUpgrades } from "../verbs/upgrades";
import { findVerb } from "./unknown-verb";
import { packageVersion } from "./package-version";
import { type VerbContext } from "./verb-context";

/** A verb in the list of verbs: short, so that the descriptions beside it wrap at 80 columns. */
function shortTerm(verb: Command): string {
  const words = verb.registeredArguments.map((argument) => {
    const name = argument.name() + (argument.variadic ? "..." : "");
    return argument.required ? `<${name}>` : `[${name}]`;
  });
  return [verb.name(), ...words.slice(0, 2)].join(" ");
}

/** The operator's CLI with all verbs. */
export function createProgram({ folder, exit }: VerbContext): Command {
  const program = new Command("stagecraft")
    .description("Development, staging and production servers on PostgreSQL.")
    .version(packageVersion(), "-V, --version", "print the version")
    .helpCommand(false)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("(npx stagecraft --help)")
    .configureHelp({ showGlobalOptions: false, subcommandTerm: shortTerm })
    .addHelpText("after", `\n${exitStatusHelp()}`);

  program
    .command("start")
    .description("set up this machine and bring a server up")
    .addArgument(stackArgument("[stack]").default("dev"))
    .action(async (stack: StackName) => {
      await runStart(folder(), stack);
    })
    .addHelpText("after", example("npm start -- staging"));

  program
    .command("up")
    .description("apply the program and Pulumi.<stack>.yaml to a server (pulumi up)")
    .addArgument(stackArgument("<stack>"))
    .action(async (stack: StackName) => {
      await runUp(folder(), stack, new StepList(process.stdout));
    })
    .addHelpText("after", example("npx stagecraft up staging"));

  program
    .command("refresh")
    .description("replace the contents of dev or staging by a backup of another server")
    .addArgument(stackArgument("<stack>"))
    .option("--backup <id>", "id of the backup, or the newest verified one", "latest")
    .addOption(
      new Option(
        "--from <stack>",
        "take backups of this server from now on: writes stagecraft:data",
      ).argParser(parseStackName),
    )
    .option("--preview", "only show what would change")
    .option("--json", "print JSON")
    .action(async (stack: StackName, options: RefreshOptions) => {
      await runRefresh(folder(), stack, options);
    })
    .addHelpText("after", example("npx stagecraft refresh staging --from prod"));

  program
    .command("rollback")
    .description("swap in the previous version of the database, which the last refresh replaced")
    .addArgument(stackArgument("<stack>"))
    .option("--json", "print JSON")
    .action(async (stack: StackName, options: { json?: boolean }) => {
      await runRollback(folder(), stack, options);
    })
    .addHelpText("after", example("npx stagecraft rollback staging"));

  program
    .command("recover")
    .description("restore databases that are in a server's backups and missing on the server")
    .addArgument(stackArgument("<stack>"))
    .option(
      "--backup <id>",
      "id of the backup; by default the newest verified one of each database",
    )
    .option("--database <name...>", "names of databases; by default all that are missing")
    .option("--identity <file>", "fetch the off-site copy first, with this private key")
    .option("--accept-unverified", "use a backup that was not verified")
    .option("--accept <digest>", "accept a backup that is rejected, by the digest of its manifest")
    .option("--json", "print JSON")
    .action(async (stack: StackName, options: RecoverOptions) => {
      exit(await runRecover(folder(), stack, options));
    })
    .addHelpText("after", example("npx stagecraft recover prod"));

  program
    .command("down")
    .description("stop a server; its data stays unless --data is given")
    .addArgument(stackArgument("<stack>"))
    .option("--data", "delete its data, too")
    .option("-y, --yes", "do not ask (for CI)")
    .option("--confirm <stack>", "with --yes: the stack's name again, required for production")
    .action(async (stack: StackName, options: { data?: boolean; yes?: boolean }) => {
      await runDown(folder(), stack, options);
    })
    .addHelpText("after", example("npx stagecraft down dev --data"));

  program
    .command("status")
    .description("show the state of the servers and which data they have")
    .addArgument(stackArgument("[stack]"))
    .option("--json", "print JSON")
    .action(async (stack: StackName | undefined, options: { json?: boolean }) => {
      exit(await runStatus(folder(), stack === undefined ? stackNames : [stack], options));
    })
    .addHelpText("after", example("npx stagecraft status --json"));

  program
    .command("backup")
    .description("make a backup of a server now")
    .addArgument(stackArgument("<stack>"))
    .option("--job <name>", "use the databases and the format of a scheduled job")
    .option("--json", "print JSON")
    .action(async (stack: StackName, options: BackupCommandOptions) => {
      if (!(await runBackup(folder(), stack, options))) exit(exitStatus.failed);
    })
    .addHelpText("after", example("npx stagecraft backup prod"));

  program
    .command("psql")
    .description("open psql on the database of a server, as its owner")
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
    .argument("[role]", "application, readonly, monitor, or the name of a user", "application")
    .action(async (stack: StackName, role: string) => {
      await runPassword(folder(), stack, role);
    })
    .addHelpText("after", example("npx stagecraft password dev readonly"));

  program
    .command("ca")
    .description("print the CA certificate that clients verify a server with (sslrootcert)")
    .addArgument(stackArgument("<stack>"))
    .action(async (stack: StackName) => {
      await runCa(folder(), stack);
    })
    .addHelpText("after", example("npx stagecraft ca prod > prod-ca.pem"));

  program
    .command("access")
    .description("show who can connect to a server, from where, and how they authenticate")
    .addArgument(stackArgument("<stack>"))
    .action(async (stack: StackName) => {
      await runAccess(folder(), stack);
    })
    .addHelpText("after", example("npx stagecraft access staging"));

  program
    .command("offboard")
    .description("remove a user from all stack files, and disable the login on all servers")
    .argument("<user>", "name of the user in people")
    .action(async (user: string) => {
      await runOffboard(folder(), user);
    })
    .addHelpText("after", example("npx stagecraft offboard ada"));

  program
    .command("upgrades")
    .description("show which upgrade scripts (migrations) have been applied and which are pending")
    .addArgument(stackArgument("<stack>"))
    .option("--dry-run", "run the pending scripts on a copy of the database")
    .option("--json", "print JSON")
    .action(async (stack: StackName, options: { dryRun?: boolean; json?: boolean }) => {
      if (!(await runUpgrades(folder(), stack, options))) exit(exitStatus.failed);
    })
    .addHelpText("after", example("npx stagecraft upgrades staging --dry-run"));

  addPitr(program, { folder, exit });

  program
    .command("log")
    .description("print a log of the agent, the newest by default")
    .addArgument(stackArgument("<stack>"))
    .argument("[name]", "name of the log")
    .option("--list", "print the names of all logs as JSON")
    .action(async (stack: StackName, name: string | undefined, options: { list?: boolean }) => {
      exit(await runLog(folder(), stack, name, options));
    })
    .addHelpText("after", example("npx stagecraft log dev"));

  program
    .command("doctor")
    .description("check this machine and the project, and show how to fix problems")
    .option("--fix", "install missing requirements first (for CI)")
    .addOption(new Option("--mend", "the same as --fix").implies({ fix: true }).hideHelp())
    .option("--json", "print JSON")
    .action(async (options: DoctorOptions) => {
      if (!(await runDoctor(folder(), options))) exit(exitStatus.failed);
    })
    .addHelpText("after", example("npx stagecraft doctor"));

  addBackups(program, { folder, exit });
  addAlerts(program, { folder, exit });

  program
    .command("help")
    .description("show the help of a verb")
    .argument("[verb...]", "a verb, e.g. refresh, or backups verify")
    .action((path: readonly string[]) => {
      const verb = path.reduce((parent, word) => findVerb(parent, word) ?? parent, program);
      verb.outputHelp();
    });

  return program;
}
