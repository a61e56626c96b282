import { connect } from "node:net";
import path from "node:path";
import { agentRule } from "../../../model/pg-hba/rule/presets";
import { renderPgHba } from "../../../model/pg-hba/text/render";
import { isExternal } from "../../postgres/external-connection";
import { socketFolder } from "../../postgres/target";
import { readTextIfExists } from "../../system/atomic-file";
import { messageOf } from "../../system/errors";
import { logLine } from "../../system/progress";
import { stateFolder, writeStateFile } from "../../system/state-folder";
import { dataFolder } from "../parameters/config-files";
import { rejectionOf } from "./check-file";
import { HbaFile } from "./hba-file";

/** Rules that PostgreSQL does not reject. */
let acceptable: string | undefined;

/** File in the agent's volume: the last rules that PostgreSQL used. */
const acceptedFile = "pg_hba.conf";

/** Rules with which only the agent can connect, until `up` applies those of the stack. */
const agentOnly = renderPgHba(
  [agentRule],
  [
    "Written by Stagecraft, because PostgreSQL did not start with the previous rules. pulumi up applies those of the stack.",
  ],
);

/** Saves rules that PostgreSQL uses, to go back to when it does not start with later ones. */
export async function saveAcceptedRules(text: string): Promise<void> {
  try {
    if ((await readAcceptedRules()) !== text) await writeStateFile(acceptedFile, text);
  } catch (error) {
    logLine(`cannot save the rules in the agent's volume: ${messageOf(error)}`);
  }
}

async function readAcceptedRules(): Promise<string | undefined> {
  return readTextIfExists(path.join(stateFolder, acceptedFile));
}

let isRestoring = false;

/**
 * Makes PostgreSQL start again: if it is not running and rejects `pg_hba.conf`, the last rules that it used take its place, or
 * rules for the agent only, and the log says so. The engine starts the container again automatically.
 */
export async function restoreAcceptedRules(): Promise<void> {
  if (isRestoring) return;
  isRestoring = true;
  try {
    const restored = await restore();
    if (restored !== undefined) logLine(restored);
  } catch (error) {
    // The scratch container may be starting; the next call tries again.
    if (process.env.STAGECRAFT_DEBUG !== undefined) logLine(messageOf(error));
  } finally {
    isRestoring = false;
  }
}

async function restore(): Promise<string | undefined> {
  if (isExternal || (await isListening())) return undefined;
  // Before the first start there is no cluster.
  if ((await readTextIfExists(path.join(dataFolder, "PG_VERSION"))) === undefined) return undefined;
  const file = new HbaFile();
  const current = (await file.read()).toString("utf8");
  // PostgreSQL may be stopped for another reason, and for long.
  if (current === acceptable) return undefined;
  const reason = await rejectionOf(current);
  if (reason === undefined) {
    acceptable = current;
    return undefined;
  }
  const accepted = await readAcceptedRules();
  const isUsable = accepted !== undefined && (await rejectionOf(accepted)) === undefined;
  await file.writeCandidate(isUsable ? accepted : agentOnly);
  await file.activateCandidate();
  // The rules on trial, if there are any, are the ones that were rejected.
  await file.endTrial();
  const now = isUsable ? "the last rules that it accepted" : "rules for the agent only";
  return `PostgreSQL does not start with pg_hba.conf: ${reason}\nIt has ${now} instead; pulumi up applies those of the stack`;
}

/** Whether a PostgreSQL accepts connections on the socket, or is starting. */
async function isListening(): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path.join(socketFolder, ".s.PGSQL.5432"));
    const end = (result: boolean): void => {
      socket.destroy();
      resolve(result);
    };
    socket.once("connect", () => {
      end(true);
    });
    socket.once("error", () => {
      end(false);
    });
  });
}
