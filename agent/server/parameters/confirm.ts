import { lstat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ParametersConfirmed, ParametersRequest } from "../../../model/parameters/protocol";
import { startupErrors } from "../../../model/parameters/startup-errors";
import { renderParameters } from "../../../model/parameters/render";
import { AgentError, messageOf } from "../../system/errors";
import { withConnection } from "../../postgres/connect";
import { serverLogCommand } from "../../postgres/container";
import { dataFolder, configFiles } from "./config-files";
import { readTextIfExists } from "../../system/atomic-file";
import { atRealPath, removeFile, renameFile } from "../../system/real-folder";
import { readFileState } from "./reload";

/** How long PostgreSQL may take to start after a restart; longer when its lock file says `starting`: crash recovery takes time. */
const startTimeoutSeconds = { silent: 60, starting: 3600 };

/**
 * Checks, after a restart of PostgreSQL, that the parameters are in effect.
 *
 * When PostgreSQL does not start with new parameters, `images/stagecraft-postgres` restores the previous ones. When the
 * container does not get that far, this function restores them and the container's restart policy starts it again.
 */
export async function confirmParameters(
  settings: ParametersRequest["settings"],
): Promise<ParametersConfirmed> {
  const startedAt = await waitForStart();
  const desired = renderParameters(settings);
  if ((await readTextIfExists(configFiles.parameters)) !== desired)
    throw await notInPlaceError(desired);
  const previous = await atRealPath(configFiles.previous, async (file) => lstat(file)).catch(
    () => undefined,
  );
  if (previous && startedAt.getTime() < previous.mtimeMs) {
    throw new AgentError(
      "PostgreSQL has not been restarted since its parameters were changed; restart its container, then confirm again",
    );
  }
  const state = await withConnection("postgres", (client) =>
    readFileState(client, configFiles.parameters),
  );
  const missing = [...state.problems, ...state.restart];
  if (missing.length > 0) {
    throw new AgentError(
      `PostgreSQL was restarted, but some parameters are not in effect: ${missing.join(", ")}; run pulumi up again`,
    );
  }
  for (const file of [configFiles.previous, configFiles.rejected, configFiles.startLog])
    await removeFile(file);
  return { applied: state.applied };
}

/** Waits for PostgreSQL and returns its start time; restores the previous parameters when it does not start. */
async function waitForStart(): Promise<Date> {
  const started = Date.now();
  for (;;) {
    try {
      return await withConnection("postgres", async (client) => {
        const { rows } = await client.query<{ at: Date }>(
          "SELECT pg_postmaster_start_time() AS at",
        );
        return rows[0]?.at ?? new Date();
      });
    } catch (error) {
      const seconds = (Date.now() - started) / 1000;
      const limit = (await isStarting())
        ? startTimeoutSeconds.starting
        : startTimeoutSeconds.silent;
      if (seconds > limit) throw await restorePrevious(messageOf(error));
      await sleep(200);
    }
  }
}

async function restorePrevious(reason: string): Promise<AgentError> {
  const failure = `PostgreSQL did not start within ${startTimeoutSeconds.silent} s of its restart (${reason})`;
  if ((await readTextIfExists(configFiles.previous)) === undefined) {
    return new AgentError(`${failure}; check: ${serverLogCommand}`);
  }
  await renameFile(configFiles.parameters, configFiles.rejected);
  await renameFile(configFiles.previous, configFiles.parameters);
  const errors = startupErrors((await readTextIfExists(configFiles.startLog)) ?? "");
  return new AgentError(
    `${failure}${errors === "" ? "" : `: ${errors}`}; the previous parameters are restored, and its container starts with them`,
  );
}

/** Reads PostgreSQL's status from its lock file: `starting`, `ready` or `stopping`. */
async function isStarting(): Promise<boolean> {
  const lock = await readTextIfExists(path.join(dataFolder, "postmaster.pid"));
  return lock?.split("\n")[7]?.trim() === "starting";
}

async function notInPlaceError(desired: string): Promise<AgentError> {
  if ((await readTextIfExists(configFiles.rejected)) !== desired) {
    return new AgentError(
      "stagecraft.conf differs from the requested parameters; run pulumi up again",
    );
  }
  const errors = startupErrors((await readTextIfExists(configFiles.startLog)) ?? "");
  return new AgentError(
    `PostgreSQL does not start with postgres.settings; the previous parameters are restored: ${errors}`,
  );
}
