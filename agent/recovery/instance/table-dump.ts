import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { RestoreTableRequest } from "../../../model/point-in-time/protocol";
import {
  clientEnvironment,
  connectionString,
  runWithStderrLines,
  streamOutput,
} from "../../postgres/client-programs";
import { ownSqlSettings } from "../../postgres/connect";
import type { RestrictedLogin } from "../../postgres/restricted-login";
import { AgentError } from "../../system/errors";
import { stateFolder } from "../../system/state-folder";
import { instanceEnvironment } from "./instance";
import type { LostRelation } from "./lost-objects";

/** Dumps relations of the recovery instance, and removes the dump after `use`. */
export async function withDump<T>(
  { database }: RestoreTableRequest,
  relations: readonly LostRelation[],
  use: (file: string) => Promise<T>,
): Promise<T> {
  const folder = path.join(stateFolder, "dumps", `table-${process.pid}`);
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true, mode: 0o700 });
  try {
    const file = path.join(folder, "table.dump");
    const errors: string[] = [];
    const status = await runWithStderrLines(
      "pg_dump",
      [
        ...["--format=custom", "--compress=zstd:1", "--no-password", "--no-publications"],
        ...["--no-subscriptions", "--no-tablespaces", "--no-security-labels"],
        ...relations.map(({ schema, name }) => `--table=${pattern(schema)}.${pattern(name)}`),
        ...[`--file=${file}`, `--dbname=${connectionString(database)}`],
      ],
      instanceEnvironment(),
      (line) => errors.push(line),
    );
    if (status !== 0)
      throw new AgentError(
        `cannot dump the table from the recovery instance: ${firstError(errors)}`,
      );
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A name as a pattern of pg_dump that matches only it: in double quotes nothing but these has a meaning. */
function pattern(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Restores everything but the rights, in one transaction. */
export async function restoreObjects(
  { database, schema, table }: RestoreTableRequest,
  file: string,
  login: RestrictedLogin,
): Promise<void> {
  const errors: string[] = [];
  const status = await runWithStderrLines(
    "pg_restore",
    [
      ...["--single-transaction", "--exit-on-error", "--no-owner", "--no-acl"],
      ...[`--dbname=${connectionString(database)}`, file],
    ],
    await login.environment(ownSqlSettings),
    (line) => errors.push(line),
  );
  if (status === 0) return;
  throw new AgentError(
    `${schema}.${table} was not restored, and nothing was changed: ${firstError(errors)}`,
  );
}

/** Restores the rights, each in its own transaction; returns those that could not be granted. */
export async function restoreRights(
  database: string,
  file: string,
  login: RestrictedLogin,
): Promise<string[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of streamOutput("pg_restore", ["--list", file], clientEnvironment()))
    chunks.push(chunk);
  const lines = Buffer.concat(chunks).toString("utf8").split("\n");
  const list = `${file}.rights`;
  await writeFile(list, lines.filter((line) => /^\d+; \d+ \d+ ACL /.test(line)).join("\n"));
  if ((await readFile(list, "utf8")) === "") return [];
  const errors: string[] = [];
  await runWithStderrLines(
    "pg_restore",
    [`--use-list=${list}`, "--no-owner", `--dbname=${connectionString(database)}`, file],
    await login.environment(ownSqlSettings),
    (line) => errors.push(line),
  );
  return errors.flatMap((line) => {
    const [, message] =
      /^pg_restore: error: could not execute query: ERROR: +(.*)$/.exec(line) ?? [];
    return message === undefined ? [] : [`a right was not granted: ${message}`];
  });
}

function firstError(lines: readonly string[]): string {
  const found = lines.find((line) => /error:/.test(line)) ?? lines[0] ?? "no error message";
  return found.replace(/^pg_\w+: error: /, "").replace(/^could not execute query: ERROR: +/, "");
}
