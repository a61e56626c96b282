import { SqlReader } from "../dump/sql-reader";
import { describeStatement, type StatementFacts } from "../dump/statement";
import type { ImportEvent, Phase } from "./event";
import { sqlstateOf } from "./sqlstate";

/** An item completed by a line of pg_restore's stderr. */
export type RestoreOutput =
  | { readonly type: "message"; readonly event: ImportEvent; readonly statement: StatementFacts }
  /** An entry of the archive was restored (`--verbose`). */
  | { readonly type: "finished"; readonly dumpId: number }
  | { readonly type: "text"; readonly line: string };

/** Parses the stderr of pg_restore line by line; needs `--verbose` and English messages. */
export class PgRestoreOutputReader {
  #phase: Phase = "schema";
  #entry: string | undefined;
  /** Qualified tables by unqualified name, from the last line about their data. */
  readonly #tables = new Map<string, string>();
  #messages = 0;
  #open: string[] = [];

  /** Adds a line, without its newline. */
  push(line: string): RestoreOutput[] {
    const starts = /^pg_restore: /.test(line);
    if (!starts && this.#open.length > 0) {
      this.#open.push(line);
      return [];
    }
    const ended = this.finish();
    return [...ended, ...this.#start(line)];
  }

  /** Ends the output. */
  finish(): RestoreOutput[] {
    const lines = this.#open;
    this.#open = [];
    if (lines.length === 0) return [];
    const output = this.#message(lines);
    this.#entry = undefined;
    return output ? [output] : [];
  }

  #start(line: string): RestoreOutput[] {
    // Prefixes of lines that parallel workers write at the same time can be interleaved.
    const text = line.replace(/^(?:pg_restore: )+/, "").replace(/^(?:(error|warning): )+/, "$1: ");
    const entry = /^from TOC entry \d+; \d+ \d+ (.+)$/.exec(text)?.[1];
    if (entry !== undefined) {
      this.#entry = entry;
      this.#phase = phaseOf(entry);
      return [];
    }
    if (/^while (?:INITIALIZING|PROCESSING TOC|FINALIZING)/.test(text)) return [];
    if (
      /^(?:error|warning|fatal|detail|hint): /.test(text) ||
      /^(?:WARNING|ERROR|FATAL): {2}/.test(text)
    ) {
      this.#open = [text];
      return [];
    }
    this.#follow(text);
    const finished = /^finished item (\d+) /.exec(text)?.[1];
    if (finished !== undefined) return [{ type: "finished", dumpId: Number(finished) }];
    return [{ type: "text", line }];
  }

  /** Tracks what is being restored, for messages without this information. */
  #follow(text: string): void {
    const created = /^creating ([A-Z ]+) "/.exec(text)?.[1];
    if (created !== undefined) this.#phase = phaseOf(created);
    const table = /^processing data for table "(.+)"$/.exec(text)?.[1];
    if (table === undefined) return;
    this.#phase = "data";
    this.#tables.set(table.slice(table.indexOf(".") + 1), table);
  }

  #message(lines: readonly string[]): RestoreOutput | undefined {
    const [first = "", ...rest] = lines;
    // The summary is redundant, unless the messages were lost.
    const isSummary = /^warning: errors ignored on restore: \d+$/.test(first);
    if (isSummary && this.#messages > 0) return undefined;
    this.#messages++;
    const command = rest.findIndex((line) => line.startsWith("Command was: "));
    const messageLines = [first, ...(command < 0 ? rest : rest.slice(0, command))];
    const text =
      command < 0
        ? ""
        : rest
            .slice(command)
            .join("\n")
            .replace(/^Command was: /, "")
            .trim();
    const copied = /COPY failed for table "((?:[^"]|"")+)"/.exec(first)?.[1];
    const statement =
      copied === undefined ? describeCommand(text) : copyFacts(this.#tables.get(copied) ?? copied);
    const server = /(ERROR|FATAL|PANIC|WARNING): {2}(.*)$/.exec(first);
    const message =
      server?.[2] ??
      first.replace(/^(?:error|warning|fatal|detail|hint): (?:could not execute query: )?/, "");
    const sqlstate =
      server || /server closed|connection/.test(message) ? sqlstateOf(message) : undefined;
    const field = (name: string): string | undefined =>
      messageLines.find((line) => line.startsWith(`${name}:  `))?.slice(name.length + 3);
    const detail = field("DETAIL");
    const hint = field("HINT");
    const context = field("CONTEXT");
    const object = statement.object ?? this.#entry;
    return {
      type: "message",
      statement,
      event: {
        severity: severityOf(server?.[1], first),
        phase: copied === undefined ? this.#phase : "data",
        message,
        statement: statement.excerpt,
        ...(sqlstate === undefined ? {} : { sqlstate }),
        ...(detail === undefined ? {} : { detail }),
        ...(hint === undefined ? {} : { hint }),
        ...(context === undefined ? {} : { context }),
        ...(object === undefined ? {} : { object }),
      },
    };
  }
}

/** Describes a command; the privileges of an object are one command of several statements. */
function describeCommand(text: string): StatementFacts {
  const reader = new SqlReader();
  const tokens = [...reader.push(Buffer.from(`${text.replace(/;$/, "")};\n`)), ...reader.finish()];
  const statements = tokens.flatMap((token) =>
    token.type === "statement" ? [describeStatement(token.bytes.toString("utf8"))] : [],
  );
  const facts = statements[0] ?? describeStatement(text);
  return { ...facts, roles: [...new Set(statements.flatMap(({ roles }) => roles))] };
}

function copyFacts(table: string): StatementFacts {
  const excerpt = `COPY ${table} FROM stdin`;
  return { action: "copy", object: `TABLE ${table}`, name: table, table, roles: [], excerpt };
}

function severityOf(server: string | undefined, line: string): ImportEvent["severity"] {
  if (server === "WARNING") return "WARNING";
  if (server === "FATAL" || server === "PANIC" || line.startsWith("fatal: ")) return "FATAL";
  // Warnings of pg_restore itself can announce an unreadable archive, so they are not known to be harmless.
  return "ERROR";
}

function phaseOf(entry: string): Phase {
  if (/^(?:TABLE DATA|SEQUENCE SET|BLOB|LARGE OBJECT)/.test(entry)) return "data";
  if (
    /^(?:INDEX|CONSTRAINT|FK CONSTRAINT|TRIGGER|EVENT TRIGGER|RULE|POLICY|ROW SECURITY|MATERIALIZED VIEW DATA)/.test(
      entry,
    )
  ) {
    return "post-data";
  }
  return "schema";
}
