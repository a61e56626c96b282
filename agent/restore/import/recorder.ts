import type { WriteStream } from "node:fs";
import { finished } from "node:stream/promises";
import type { StatementFacts } from "../../../model/dump/statement";
import type { ImportEvent } from "../../../model/import-log/event";
import { ImportLog } from "../../../model/import-log/import-log";
import { eventLine } from "../../../model/import-log/text";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";

/** Messages written in full to the log; a dump can bring forth millions. */
const maxMessages = 100_000;

/** Keeps the log file of one import beside its {@link ImportLog}. */
export class Recorder {
  readonly log: ImportLog;
  #written = 0;

  /** `tell` makes of a message what may be kept of it. */
  constructor(
    private readonly file: WriteStream,
    private readonly tell: (event: ImportEvent) => ImportEvent = (event) => event,
  ) {
    this.log = new ImportLog(tell);
    // What is restored is judged all the same, without its log.
    file.on("error", (error) => {
      logLine(`could not write the log: ${messageOf(error)}`);
    });
  }

  /** Judges a message and writes it to the log file. */
  message(said: ImportEvent, statement: StatementFacts): void {
    const kind = this.log.message(said, statement);
    if (++this.#written > maxMessages) return;
    const event = this.tell(said);
    this.file.write(`${kind.padEnd(12)}${event.phase.padEnd(10)}${eventLine(event)}\n`);
    for (const [label, text] of [
      ["detail", event.detail],
      ["hint", event.hint],
      ["context", event.context],
      ["statement", event.statement],
    ] as const) {
      if (text !== undefined && text !== "") this.file.write(`            ${label}: ${text}\n`);
    }
  }

  /** Writes a line to the log file only. */
  write(line: string): void {
    this.file.write(`${line}\n`);
  }

  /** Closes the log file. */
  async close(): Promise<void> {
    if (this.#written > maxMessages) this.write(`${this.#written - maxMessages} further messages`);
    this.file.end();
    await finished(this.file).catch(() => undefined);
  }
}
