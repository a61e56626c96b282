import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { AgentError } from "./errors";
import { listLogs, logPath } from "./restore-reports";

/** Writes the log of a restore to stdout: the named one, or the newest. */
export async function showLog(name: string | undefined): Promise<void> {
  const logs = await listLogs();
  const file = name ?? logs.at(-1);
  if (file === undefined) throw new AgentError("there is no log yet");
  if (!logs.includes(file)) {
    const list = `npx stagecraft log ${process.env.STAGECRAFT_SERVER ?? ""} --list`;
    throw new AgentError(`there is no log ${file}; list them with: ${list}`);
  }
  await pipeline(createReadStream(logPath(file)), process.stdout, { end: false });
}
