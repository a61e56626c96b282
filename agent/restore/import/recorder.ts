import type { WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { StatementFacts } from "../../../model/dump/statement";
import type { ImportEvent } from "../../../model/import-log/event";
import { ImportLog, type ImportedTable } from "../../../model/import-log/import-log";
import { eventLine } from "../../../model/import-log/verdict-text";
import type { Verdict } from "../../../model/import-log/verdict-schema";
import type { UnreachableViews } from "../../../model/restore/protocol";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";

/** Messages written in full to the log; a dump can cause millions. */
const maxMessages = 100_000;

/** Characters of the log, and of each text of a message, which can be as long as a dump likes. */
const maxLogLength = 64 * 2 ** 20;
const maxTextLength = 8_192;

/** Records the messages of one import: in its {@link ImportLog} and in a log file. */
export class Recorder {
  readonly log: ImportLog;
  #messages = 0;
  #written = 0;
  #omitted = 0;

  /**
   * @param redact removes values that must not be recorded. @default none are removed
   * @param fix the fix for a message, where it has a special one
   * @param unreachableViews what to do about materialized views that cannot be filled. @default "fail"
   */
  constructor(
    private readonly file: WriteStream,
    private readonly redact: (event: ImportEvent) => ImportEvent = (event) => event,
    fix?: (event: ImportEvent) => string | undefined,
    unreachableViews?: UnreachableViews,
  ) {
    this.log = new ImportLog(redact, fix, unreachableViews);
    // The import continues without its log file.
    file.on("error", (error) => {
      logLine(`cannot write the import log: ${messageOf(error)}`);
    });
  }

  /** The verdict; writes the tables that are incomplete to the log file. @param found the tables as found in the database */
  verdict(found?: ReadonlyMap<string, ImportedTable>): Verdict {
    return this.log.verdict(found, (event) => {
      this.write(`${"cause".padEnd(12)}${"check".padEnd(10)}${eventLine(event)}`);
    });
  }

  /** Classifies a message and writes it to the log file. */
  message(message: ImportEvent, statement: StatementFacts): void {
    const received = shorten(message);
    const kind = this.log.message(received, statement);
    if (++this.#messages > maxMessages || this.#written > maxLogLength) {
      this.#omitted++;
      return;
    }
    const event = this.redact(received);
    this.write(`${kind.padEnd(12)}${event.phase.padEnd(10)}${eventLine(event)}`);
    for (const [label, text] of [
      ["detail", event.detail],
      ["hint", event.hint],
      ["context", event.context],
      ["statement", event.statement],
    ] as const) {
      if (text !== undefined && text !== "") this.write(`            ${label}: ${text}`);
    }
  }

  /** Writes a line to the log file only. */
  write(line: string): void {
    this.#written += line.length;
    this.file.write(`${line}\n`);
  }

  /** Closes the log file. */
  async close(): Promise<void> {
    if (this.#omitted > 0) this.write(`${this.#omitted} further messages`);
    this.file.end();
    await finished(this.file).catch(() => undefined);
  }
}

function shorten(event: ImportEvent): ImportEvent {
  const { message, detail, hint, context } = event;
  const cut = (text: string): string =>
    text.length > maxTextLength ? `${text.slice(0, maxTextLength)}…` : text;
  return {
    ...event,
    message: cut(message),
    ...(detail === undefined ? {} : { detail: cut(detail) }),
    ...(hint === undefined ? {} : { hint: cut(hint) }),
    ...(context === undefined ? {} : { context: cut(context) }),
  };
}
