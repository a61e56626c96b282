import { rename, rm, stat } from "node:fs/promises";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ParametersConfirmed, ParametersRequest } from "../../../model/parameters/protocol";
import { startupErrors } from "../../../model/parameters/startup-errors";
import { renderParameters } from "../../../model/parameters/render";
import { AgentError, messageOf } from "../../system/errors";
import { withConnection } from "../../postgres/connect";
import { dataFolder, configFiles } from "./config-files";
import { readTextIfExists } from "../../system/atomic-file";
import { readFileState } from "./reload";

/** How long PostgreSQL may be away after a restart, and how long when it tells that it is starting: it may have a crash to mend. */
const startTimeoutSeconds = { silent: 60, starting: 3600 };

/**
 * Looks, after a restart of PostgreSQL, whether the settings are in force.
 *
 * When PostgreSQL does not start with new settings, `images/stagecraft-postgres` puts the former ones back; when it does
 * not start at all, that is done here, and the container's restart policy does the rest.
 */
export async function confirmParameters(
  settings: ParametersRequest["settings"],
): Promise<ParametersConfirmed> {
  const startedAt = await waitForStart();
  const wanted = renderParameters(settings);
  if ((await readTextIfExists(configFiles.settings)) !== wanted)
    throw await notInPlaceError(wanted);
  const before = await stat(configFiles.before).catch(() => undefined);
  if (before && startedAt.getTime() < before.mtimeMs) {
    throw new AgentError(
      "PostgreSQL has not been restarted since its settings were changed; restart its container, then confirm again",
    );
  }
  const state = await withConnection("postgres", (client) =>
    readFileState(client, configFiles.settings),
  );
  const missing = [...state.problems, ...state.restart];
  if (missing.length > 0) {
    throw new AgentError(
      `PostgreSQL was restarted, but not all settings are in force: ${missing.join(", ")}; run pulumi up again`,
    );
  }
  for (const file of [configFiles.before, configFiles.refused, configFiles.startLog])
    await rm(file, { force: true });
  return { applied: state.applied };
}

/** When PostgreSQL was started; puts the former settings back when it does not come up. */
async function waitForStart(): Promise<Date> {
  const began = Date.now();
  for (;;) {
    try {
      return await withConnection("postgres", async (client) => {
        const { rows } = await client.query<{ at: Date }>(
          "SELECT pg_postmaster_start_time() AS at",
        );
        return rows[0]?.at ?? new Date();
      });
    } catch (error) {
      const seconds = (Date.now() - began) / 1000;
      const limit = (await isStarting())
        ? startTimeoutSeconds.starting
        : startTimeoutSeconds.silent;
      if (seconds > limit) throw await restorePrevious(messageOf(error));
      await sleep(200);
    }
  }
}

async function restorePrevious(said: string): Promise<AgentError> {
  const away = `PostgreSQL did not come up within ${startTimeoutSeconds.silent} s of its restart (${said})`;
  if ((await readTextIfExists(configFiles.before)) === undefined) {
    return new AgentError(`${away}; look at: docker logs of its container`);
  }
  await rename(configFiles.settings, configFiles.refused);
  await rename(configFiles.before, configFiles.settings);
  const words = startupErrors((await readTextIfExists(configFiles.startLog)) ?? "");
  return new AgentError(
    `${away}${words === "" ? "" : `: ${words}`}; the settings before are back, and its container starts with them`,
  );
}

/** PostgreSQL tells in its lock file how far it is: `starting`, `ready`, `stopping`. */
async function isStarting(): Promise<boolean> {
  const lock = await readTextIfExists(path.join(dataFolder, "postmaster.pid"));
  return lock?.split("\n")[7]?.trim() === "starting";
}

async function notInPlaceError(wanted: string): Promise<AgentError> {
  if ((await readTextIfExists(configFiles.refused)) !== wanted) {
    return new AgentError(
      "the settings in place are other ones than asked for; run pulumi up again",
    );
  }
  const words = startupErrors((await readTextIfExists(configFiles.startLog)) ?? "");
  return new AgentError(
    `PostgreSQL does not start with postgres.settings, and the former ones are back: ${words}`,
  );
}
