import type { Command } from "commander";
import { example, stackArgument } from "./arguments";
import type { VerbContext } from "./verb-context";
import type { StackName } from "../project/stacks";
import {
  runPitrStatus,
  runPitrCopyDatabase,
  runPitrCopyTable,
  runPitrPsql,
  runPitrRemove,
} from "../verbs/pitr";

interface PitrOptions {
  readonly json?: boolean;
  readonly database?: string;
  readonly as?: string;
  readonly replace?: boolean;
}

/** `side <stack> [what] [name]`: the verbs on what `restore --to` has made. */
export function addPitr(program: Command, { folder, exit }: VerbContext): void {
  const what = ["psql", "copy-table", "copy-database", "remove"];
  program
    .command("side")
    .description("look at what restore --to has made, take a table or database over, or remove it")
    .addArgument(stackArgument("<stack>"))
    .argument("[what]", `${what.join(", ")}; without it, what there is`)
    .argument("[name]", "of the table or database")
    .argument("[args...]", "arguments of psql, after --")
    .option("--database <name>", "copy-table: the database it is in")
    .option("--as <name>", "the name of the copy; without it, with the moment behind its own")
    .option("--replace", "copy-database: in the place of the database; never on production")
    .option("--json", "for a program")
    .action(
      async (
        stack: StackName,
        verb: string | undefined,
        name: string | undefined,
        args: string[],
        options: PitrOptions,
      ) => {
        switch (verb) {
          case undefined:
            await runPitrStatus(folder(), stack, options);
            return;
          case "psql":
            exit(await runPitrPsql(folder(), stack, name, args));
            return;
          case "copy-table":
            if (name === undefined) program.error("copy-table wants the name of a table");
            await runPitrCopyTable(folder(), stack, name, options);
            return;
          case "copy-database":
            exit(await runPitrCopyDatabase(folder(), stack, name, options));
            return;
          case "remove":
            await runPitrRemove(folder(), stack, options);
            return;
          default:
            program.error(`side knows no ${verb}; it is one of ${what.join(", ")}`);
        }
      },
    )
    .addHelpText("after", example("npx stagecraft side prod copy-table invoices"));
}
