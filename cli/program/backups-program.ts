import { Argument, InvalidArgumentError, Option, type Command } from "commander";
import { example, stackArgument } from "./arguments";
import type { VerbContext } from "./verb-context";
import { exitStatus } from "../base/exit-status";
import { acceptedDigestSchema } from "../../model/backup/signature";
import { parseBackupId } from "../../model/base/names";
import type { StackName } from "../project/stacks";
import { runBackups, runBackupsDelete, runBackupsPrune, runBackupsVerify } from "../verbs/backups";
import { runBackupsDownload } from "../verbs/backups-download";
import { runOffsiteFetch, runOffsiteList, runOffsiteUpload } from "../verbs/offsite";
import { runRefresh } from "../verbs/refresh";

interface Options {
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly preview?: boolean;
}

/** Adds `backups` and its subcommands. */
export function addBackups(program: Command, { folder, exit }: VerbContext): void {
  const command = program
    .command("backups")
    .description("show the backups of a server, which are verified, and which rule retains them")
    .addArgument(stackArgument("<stack>"))
    .option("--json", "print JSON")
    .action(async (name: StackName, options: Options) => {
      await runBackups(folder(), name, options);
    })
    .addHelpText("after", example("npx stagecraft backups prod"));

  command
    .command("verify")
    .description(
      "verify a backup: restore it into a scratch database and compare it with its manifest",
    )
    .addArgument(stackArgument("<stack>"))
    .addArgument(backupArgument("[id]"))
    .addOption(acceptOption())
    .option("--json", "print JSON")
    .action(async (name: StackName, id: string | undefined, _: Options, self: Command) => {
      if (!(await runBackupsVerify(folder(), name, id, self.optsWithGlobals())))
        exit(exitStatus.failed);
    });

  command
    .command("delete")
    .description(
      "delete backups permanently, after confirmation; rejects backups that are still needed",
    )
    .addArgument(stackArgument("<stack>"))
    .addArgument(new Argument("<id...>", "ids like 20261121T032900Z").argParser(parseIds))
    .option(
      "--last-of <database>",
      "allow to delete the last verified backup of this database; repeatable",
      (name: string, names: string[] | undefined) => [...(names ?? []), name],
    )
    .option("-y, --yes", "do not ask")
    .option("--json", "print JSON")
    .action(async (name: StackName, ids: string[], _: Options, self: Command) => {
      await runBackupsDelete(folder(), name, ids, self.optsWithGlobals());
    });

  command
    .command("download")
    .description("copy a backup to this machine and compare it with its manifest")
    .addArgument(stackArgument("<stack>"))
    .addArgument(backupArgument("<id>"))
    .argument("[folder]", "parent folder of the copy", ".")
    .option("--json", "print JSON")
    .action(async (name: StackName, id: string, into: string, _: Options, self: Command) => {
      await runBackupsDownload(folder(), name, id, into, self.optsWithGlobals());
    });

  command
    .command("restore")
    .description("replace the contents of dev or staging by a backup; the same as refresh --backup")
    .addArgument(stackArgument("<stack>"))
    .addArgument(backupArgument("<id>"))
    .option("--preview", "only show what would change")
    .option("--json", "print JSON")
    .action(async (name: StackName, id: string, _: Options, self: Command) => {
      await runRefresh(folder(), name, { ...self.optsWithGlobals<Options>(), backup: id });
    });

  command
    .command("forget")
    .description("delete the backups that no rule retains")
    .addArgument(stackArgument("<stack>"))
    .option("--dry-run", "only show which backups are retained or deleted, and why")
    .option("--json", "print JSON")
    .action(async (name: StackName, _: Options, self: Command) => {
      await runBackupsPrune(folder(), name, self.optsWithGlobals());
    });

  addOffsite(command, { folder, exit });
}

/** Adds `backups offsite`. */
function addOffsite(command: Command, { folder, exit }: VerbContext): void {
  command
    .command("offsite")
    .description("list the off-site copies, upload missing ones, or fetch one")
    .addArgument(stackArgument("<stack>"))
    .addArgument(backupArgument("[id]"))
    .option("--identity <file>", "file with the private key, to fetch a backup")
    .option("--of <server>", "server whose copies to use, if not the stack's own")
    .option("--upload", "upload missing copies now")
    .addOption(acceptOption())
    .option("--json", "print JSON")
    .action(async (name: StackName, id: string | undefined, _: Options, self: Command) => {
      const options: OffsiteOptions = self.optsWithGlobals();
      if (id !== undefined)
        await runOffsiteFetch(folder(), name, id, { ...noIdentity, ...options });
      else if (options.upload === true) {
        if (!(await runOffsiteUpload(folder(), name, options))) exit(exitStatus.failed);
      } else await runOffsiteList(folder(), name, options);
    });
}

interface OffsiteOptions extends Options {
  readonly identity?: string;
  readonly accept?: string;
  readonly of?: string;
  readonly upload?: boolean;
}

const noIdentity = { identity: undefined };

function backupArgument(flags: string): Argument {
  return new Argument(flags, "an id like 20261121T032900Z").argParser(parseId);
}

function acceptOption(): Option {
  const what = "accept a backup whose signature is missing or wrong, by the digest of its manifest";
  return new Option("--accept <digest>", what).argParser((text: string) => {
    const { error } = acceptedDigestSchema.safeParse(text);
    if (!error) return text;
    throw new InvalidArgumentError(error.issues[0]?.message ?? "");
  });
}

function parseId(text: string): string {
  if (parseBackupId(text)) return text;
  throw new InvalidArgumentError("must be a backup id like 20261121T032900Z");
}

function parseIds(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), parseId(text)];
}
