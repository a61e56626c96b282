import { Argument, InvalidArgumentError, type Command } from "commander";
import { parseBackupId } from "../../model/base/names";
import type { StackName } from "../project/stacks";
import { runBackups, runBackupsDelete, runBackupsForget, runBackupsVerify } from "../verbs/backups";
import { runBackupsDownload } from "../verbs/backups-download";
import { runOffsiteFetch, runOffsiteList, runOffsiteUpload } from "../verbs/offsite";
import { runRefresh } from "../verbs/refresh";

/** What the verbs about backups need of the program they belong to. */
export interface BackupsContext {
  readonly folder: () => string;
  readonly exit: (status: number) => void;
  /** The argument that names a stack. */
  readonly stack: (flags: string) => Argument;
}

interface Options {
  readonly json?: boolean;
  readonly yes?: boolean;
  readonly dryRun?: boolean;
  readonly preview?: boolean;
}

/** Adds `backups` and the verbs below it. */
export function addBackups(program: Command, { folder, exit, stack }: BackupsContext): void {
  const command = program
    .command("backups")
    .description("show a server's backups, which are verified, and by which rule they stay")
    .addArgument(stack("<stack>"))
    .option("--json", "for a program")
    .action(async (name: StackName, options: Options) => {
      await runBackups(folder(), name, options);
    })
    .addHelpText("after", "\nExample:\n  npx stagecraft backups prod");

  command
    .command("verify")
    .description("restore a backup into a copy and compare it with its manifest")
    .addArgument(stack("<stack>"))
    .addArgument(backupArgument("[id]"))
    .option("--json", "for a program")
    .action(async (name: StackName, id: string | undefined, _: Options, self: Command) => {
      if (!(await runBackupsVerify(folder(), name, id, self.optsWithGlobals()))) exit(1);
    });

  command
    .command("delete")
    .description("delete backups for good; asks, and refuses what is needed")
    .addArgument(stack("<stack>"))
    .addArgument(new Argument("<id...>", "ids like 20261121T032900Z").argParser(parseIds))
    .option("-y, --yes", "do not ask")
    .option("--json", "for a program")
    .action(async (name: StackName, ids: string[], _: Options, self: Command) => {
      await runBackupsDelete(folder(), name, ids, self.optsWithGlobals());
    });

  command
    .command("download")
    .description("copy a backup to this machine and compare it with its manifest")
    .addArgument(stack("<stack>"))
    .addArgument(backupArgument("<id>"))
    .argument("[folder]", "where its folder is put", ".")
    .option("--json", "for a program")
    .action(async (name: StackName, id: string, into: string, _: Options, self: Command) => {
      await runBackupsDownload(folder(), name, id, into, self.optsWithGlobals());
    });

  command
    .command("restore")
    .description("give dev or staging the contents of a backup, as refresh --backup does")
    .addArgument(stack("<stack>"))
    .addArgument(backupArgument("<id>"))
    .option("--preview", "only tell what would happen")
    .option("--json", "for a program")
    .action(async (name: StackName, id: string, _: Options, self: Command) => {
      await runRefresh(folder(), name, { ...self.optsWithGlobals<Options>(), backup: id });
    });

  command
    .command("forget")
    .description("remove the backups that no rule keeps")
    .addArgument(stack("<stack>"))
    .option("--dry-run", "only show what would stay and go, and why")
    .option("--json", "for a program")
    .action(async (name: StackName, _: Options, self: Command) => {
      await runBackupsForget(folder(), name, self.optsWithGlobals());
    });

  addOffsite(command, { folder, exit, stack });
}

/** Adds `backups offsite`. */
function addOffsite(command: Command, { folder, exit, stack }: BackupsContext): void {
  command
    .command("offsite")
    .description("show the copies off-site, make those that are missing, or bring one back")
    .addArgument(stack("<stack>"))
    .addArgument(backupArgument("[id]"))
    .option("--identity <file>", "the private key, to bring a backup back")
    .option("--of <server>", "the server whose copies are meant, when not the stack's own")
    .option("--upload", "copy now what is not there yet")
    .option("--json", "for a program")
    .action(async (name: StackName, id: string | undefined, _: Options, self: Command) => {
      const options: OffsiteOptions = self.optsWithGlobals();
      if (id !== undefined)
        await runOffsiteFetch(folder(), name, id, { ...noIdentity, ...options });
      else if (options.upload === true) {
        if (!(await runOffsiteUpload(folder(), name, options))) exit(1);
      } else await runOffsiteList(folder(), name, options);
    });
}

interface OffsiteOptions extends Options {
  readonly identity?: string;
  readonly of?: string;
  readonly upload?: boolean;
}

const noIdentity = { identity: undefined };

function backupArgument(flags: string): Argument {
  return new Argument(flags, "an id like 20261121T032900Z").argParser(parseId);
}

function parseId(text: string): string {
  if (parseBackupId(text)) return text;
  throw new InvalidArgumentError("must be a backup id like 20261121T032900Z");
}

function parseIds(text: string, before: string[] | undefined): string[] {
  return [...(before ?? []), parseId(text)];
}
