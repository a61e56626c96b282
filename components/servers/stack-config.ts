import type * as pulumi from "@pulumi/pulumi";
import type { StackFileConfig } from "../../model/stack-file/schema";
import type { Upgrades } from "../../model/upgrades/protocol";
import type { PgHbaChoice } from "../access/pg-hba";
import type { Passwords } from "../access/roles-command";
import type { TlsArgs } from "../access/tls-command";
import type { BackupsArgs } from "../backups/backup-schedule";
import type { PrepareArgs } from "../contents/database";
import type { Contents } from "../contents/dump";

/** The stack file, checked, with the contents of the files that it names: what `stacks/` passes to the servers. */
export interface StackConfig extends Omit<
  StackFileConfig,
  "data" | "passwords" | "pgHba" | "tls" | "backups" | "upgrades"
> {
  /** Backup jobs, and the backups that other stack files name and that retention must not remove. */
  readonly backups: BackupsArgs;
  /** What the database is restored from. */
  readonly data: Contents;
  /** Passwords of the login roles. */
  readonly passwords: pulumi.Output<Passwords>;
  /** Access rules: those of the preset, followed by those of the stack file. */
  readonly pgHba: PgHbaChoice;
  /** The server certificate, as PEM. */
  readonly tls: TlsArgs;
  /** Upgrade scripts of the project. @default none */
  readonly upgrades: Upgrades | undefined;
}

/**
 * What is done to the contents before the swap. A backup of another server is masked and defused. A dump that a user
 * provides is restored unmasked: it is the user's own.
 */
export function preparation(
  { data, database, upgrades }: StackConfig,
  { masks, defuse }: Pick<PrepareArgs, "masks" | "defuse">,
): PrepareArgs {
  const always = { upgrades, keep: database.keep };
  return data.source.repository === undefined ? always : { ...always, masks, defuse };
}
