import { Argument, type Command } from "commander";
import { example, stackArgument } from "./arguments";
import type { VerbContext } from "./verb-context";
import type { StackName } from "../project/stacks";
import {
  runPitrCopyDatabase,
  runPitrCopyTable,
  runPitrPsql,
  runPitrRemove,
  runPitrRestoreTable,
  runPitrStatus,
} from "../verbs/pitr";
import { runPitrRestore } from "../verbs/pitr-restore";

interface PitrOptions {
  readonly to?: string;
  readonly for?: string;
  readonly database?: string;
  readonly as?: string;
  readonly replace?: boolean;
  readonly confirm?: string;
  readonly json?: boolean;
}

const actions = [
  "status",
  "psql",
  "copy-table",
  "restore-table",
  "copy-database",
  "remove",
] as const;
type Action = (typeof actions)[number];

const toFlag = "--to <time>";
const toDescription = 'latest, immediate, or a time like "2026-11-21 14:05", in UTC or with a zone';
const forFlag = "--for <duration>";
const defaultDuration = "24 h";
const jsonDescription = "print JSON";

/** Adds `pitr <stack> --to <time>` and `pitr <stack> <action>`, with their earlier names `restore --to` and `side`. */
export function addPitr(program: Command, context: VerbContext): void {
  program
    .command("pitr")
    .alias("side")
    .summary("restore a server to a point in time, as a separate read-only instance")
    .description(
      "restore a server to a point in time, as a separate read-only recovery instance; inspect it, copy from it, or remove it",
    )
    .addArgument(stackArgument("<stack>"))
    .addArgument(
      new Argument("[action]", "what to do with the recovery instance")
        .choices(actions)
        .default("status", "status"),
    )
    .argument("[name]", "copy-table, restore-table: the table; psql, copy-database: the database")
    .argument("[args...]", "psql: its arguments, after --")
    .option(toFlag, `create a recovery instance: ${toDescription}`)
    .option(forFlag, `with --to: when to remove the instance (default: "${defaultDuration}")`)
    .option("--database <name>", "copy-table, restore-table: the database that contains the table")
    .option("--as <name>", "name of the copy; by default its own name and the time")
    .option(
      "--replace",
      "copy-database: replace the original database; on production after a confirmation",
    )
    .option(
      "--confirm <database>",
      "with --replace on production: the name of the database again (for CI)",
    )
    .option("--json", jsonDescription)
    .action(
      async (
        stack: StackName,
        action: Action,
        name: string | undefined,
        args: string[],
        options: PitrOptions,
        command: Command,
      ) => {
        if (options.to === undefined) {
          if (options.for !== undefined) command.error("error: --for needs --to");
          await runAction(command, context, { stack, action, name, args, options });
          return;
        }
        if (command.args.length > 1) {
          command.error(
            `error: --to creates a recovery instance and cannot be combined with ${action}`,
          );
        }
        const { to, for: duration = defaultDuration, json = false } = options;
        await runPitrRestore(context.folder(), stack, { to, for: duration, json });
      },
    )
    .addHelpText(
      "after",
      [
        example('npx stagecraft pitr prod --to "2026-11-21 14:05 Europe/Berlin"'),
        "  npx stagecraft pitr prod psql",
        "  npx stagecraft pitr prod restore-table invoices",
        "  npx stagecraft pitr prod copy-table invoices",
        "  npx stagecraft pitr prod remove",
      ].join("\n"),
    );

  program
    .command("restore", { hidden: true })
    .description("restore a server to a point in time; the same as pitr --to")
    .addArgument(stackArgument("<stack>"))
    .requiredOption(toFlag, toDescription)
    .option(forFlag, "when to remove the recovery instance", defaultDuration)
    .option("--json", jsonDescription)
    .action(async (stack: StackName, options: { to: string; for: string; json?: boolean }) => {
      await runPitrRestore(context.folder(), stack, options);
    })
    .addHelpText("after", example('npx stagecraft restore prod --to "2026-11-21 14:05"'));
}

interface ActionRequest {
  readonly stack: StackName;
  readonly action: Action;
  readonly name: string | undefined;
  readonly args: readonly string[];
  readonly options: PitrOptions;
}

async function runAction(
  command: Command,
  { folder, exit }: VerbContext,
  { stack, action, name, args, options }: ActionRequest,
): Promise<void> {
  switch (action) {
    case "status":
      await runPitrStatus(folder(), stack, options);
      return;
    case "psql":
      exit(await runPitrPsql(folder(), stack, name, args));
      return;
    case "copy-table":
      if (name === undefined) command.error("error: copy-table needs the name of a table");
      await runPitrCopyTable(folder(), stack, name, options);
      return;
    case "restore-table":
      if (name === undefined) command.error("error: restore-table needs the name of a table");
      await runPitrRestoreTable(folder(), stack, name, options);
      return;
    case "copy-database":
      exit(await runPitrCopyDatabase(folder(), stack, name, options));
      return;
    case "remove":
      await runPitrRemove(folder(), stack, options);
      return;
    default:
      throw new Error(`unknown action ${String(action satisfies never)}`);
  }
}
