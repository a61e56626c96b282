import * as pulumi from "@pulumi/pulumi";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { StagingServer, type BackupsArgs, type Dump } from "../../../components";
import { digestedRequest, backupsRequestSchema } from "../../../model/backup/protocol";
import { sha256 } from "../../../components/engine/digest";
import { register, type Registered } from "../../support/components/mocks";
import { mockObservedServer, observation } from "../../support/components/server-observation";

const dump: Dump = {
  path: "dumps/timesheets.sql",
  isFolder: false,
  source: { name: "timesheets.sql", sha256: "a".repeat(64) },
};
const passwords = { application: "long enough", readonly: "long enough", monitor: "long enough" };

beforeEach(() => {
  mockObservedServer(undefined);
});

const staging = (backups?: BackupsArgs) => () =>
  new StagingServer("staging", {
    postgres: { port: 15433 },
    database: { name: "timesheets", refreshFrom: dump },
    passwords,
    ...(backups && { backups }),
  });

async function commandOf(backups?: BackupsArgs): Promise<Registered> {
  const { resources } = await register(staging(backups));
  const found = resources.find(
    ({ type, name }) => name === "staging-backups" && type === "command:local:Command",
  );
  if (!found) throw new Error("no command");
  return found;
}

function requestOf({ inputs }: Registered) {
  const stdin = inputs["stdin"];
  const text = typeof stdin === "string" ? stdin : (stdin as { secret: string }).secret;
  return backupsRequestSchema.parse(JSON.parse(text));
}

const generationOf = ({ inputs }: Registered): unknown =>
  (inputs["environment"] as Record<string, unknown>)["GENERATION"];

describe("the backups of a server", () => {
  test("are asked of the agent once its roles are there, on stdin alone", async () => {
    const { inputs, dependsOn } = await commandOf({ jobs: { hourly: { schedule: "@hourly" } } });
    expect(inputs["create"]).toBe(
      'exec docker exec -i "$AGENT" stagecraft-agent backups-schedule "$GENERATION"',
    );
    expect(dependsOn).toContain("staging-roles");
    expect(Object.keys(requestOf(await commandOf()).jobs)).toEqual(["nightly"]);
    expect(requestOf(await commandOf({ jobs: {} })).jobs).toEqual({});
  });

  test("change nothing while the agent has them in force, and are put right when it has others", async () => {
    const wanted = sha256(digestedRequest(requestOf(await commandOf())));
    const seen = observation(undefined);
    const see = (sha: string): void => {
      const backups = { ...seen.backups, sha256: sha };
      const generations = { ...seen.generations, backups: 4 };
      mockObservedServer({ ...seen, backups, generations });
    };
    see(wanted);
    expect(generationOf(await commandOf())).toBe("4");
    see("0".repeat(64));
    expect(generationOf(await commandOf())).toBe("5");
  });

  test("that are overdue are a warning of preview and update, in the agent's words", async () => {
    const late = "no backup of job nightly since its run of 2026-11-22 03:29 UTC";
    const seen = observation(undefined);
    const see = (reasons: string[]): void => {
      const backups = { ...seen.backups, late: reasons };
      mockObservedServer({ ...seen, backups });
    };
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    see([]);
    await register(staging());
    expect(warn.mock.calls.map(([text]) => text)).not.toContain(late);
    see([late]);
    await register(staging());
    expect(warn.mock.calls.map(([text]) => text)).toContain(late);
    warn.mockRestore();
  });

  test("are refused with what is wrong, before anything is made", async () => {
    const wrong = register(staging({ jobs: { nightly: { schedule: "61 3 * * *" } } }));
    await expect(wrong).rejects.toThrow(
      'BackupSchedule "staging-backups".jobs.nightly.schedule "61 3 * * *": minute must be 0–59, got 61',
    );
  });
});

test("the way off-site and to people goes to the agent as a secret on stdin, and nowhere else", async () => {
  const { resources } = await register(
    staging({
      offsite: {
        remote: "s3:bucket",
        options: { secret_access_key: "keep-this-quiet" },
        recipients: ["age1ac265zwcz0p49ldafugk6tueq38k05v7ym4t7t5x9j6jal0qdcmsrqfwd2"],
      },
      alerts: { webhook: "https://chat.example.com/keep-this-quiet" },
    }),
  );
  const command = resources.find(
    ({ type, name }) => name === "staging-backups" && type === "command:local:Command",
  );
  const { stdin, ...rest } = command?.inputs ?? {};
  expect(stdin).toEqual({ secret: expect.stringContaining("keep-this-quiet") as string });
  const others = resources.filter((resource) => resource !== command);
  expect(JSON.stringify([rest, ...others])).not.toContain("keep-this-quiet");
});
