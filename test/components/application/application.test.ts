import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeEach, describe, expect, test, vi } from "vitest";
import {
  ProductionServer,
  StagingServer,
  type ApplicationArgs,
  type Dump,
  type ServerArgs,
} from "../../../components";
import { observeServer, inspectContainer } from "../../../components/engine/server-state";
import { findResource, register, valueOf } from "../../support/components/mocks";
import { mockObservedServer, observation } from "../../support/components/server-observation";

const sha256 = "a".repeat(64);
const dump: Dump = {
  path: "dumps/timesheets.sql",
  isFolder: false,
  source: { name: "timesheets.sql", sha256 },
};
const passwords = {
  application: "a:pass\\word",
  readonly: "this as well",
  monitor: "and this one",
};
const application: ApplicationArgs = {
  ...{ image: "timesheets:4.2", port: 18080, revision: "4f2c9e1", healthPath: "/health" },
  environment: { MAIL: false, LANGUAGE: "de" },
};

const staging = (more: Partial<ApplicationArgs> = {}, args: Partial<ServerArgs> = {}) =>
  new StagingServer("staging", {
    ...{ postgres: { port: 15433, memory: "1 GB" }, passwords, ...args },
    application: { ...application, ...more },
    database: { name: "timesheets", refreshFrom: dump },
  });

beforeEach(() => {
  const observed = observation({ sha256, restoreId: "r-7" });
  mockObservedServer(observed);
  vi.mocked(inspectContainer).mockResolvedValue({ createdAt: "then", fault: undefined });
});

describe("the application of a server", () => {
  test("is exactly these resources, each below its own component", async () => {
    const { resources } = await register(staging);
    const own = resources.filter(({ name }) => name.startsWith("staging-application"));
    expect(own.map(({ type, name, parent }) => [type, name, parent])).toEqual([
      ["command:local:Command", "staging-application", "staging-application"],
      ["command:local:Command", "staging-application-check", "staging-application"],
      ["command:local:Command", "staging-application-files", "staging-application"],
      ["docker:index/container:Container", "staging-application", "staging-application"],
      ["docker:index/volume:Volume", "staging-application", "staging-application"],
      ["stagecraft:index:Application", "staging-application", "staging"],
    ]);
    expect(findResource(resources, "staging-application", "stagecraft").inputs).toEqual({
      image: "timesheets:4.2",
      revision: "4f2c9e1",
    });
  });

  test("runs without root, rights, or a place to write, and knows its database without the password", async () => {
    const { resources } = await register(staging);
    const { inputs, dependsOn } = findResource(resources, "staging-application", "Container");
    expect(inputs).toEqual({
      name: "stagecraft-staging-application",
      image: "timesheets:4.2",
      user: "5433:5433",
      init: true,
      envs: [
        ...["MAIL=false", "LANGUAGE=de", "PGHOST=stagecraft-staging-postgres", "PGPORT=5432"],
        ...["PGDATABASE=timesheets", "PGUSER=timesheets", "PGPASSFILE=/run/stagecraft/pgpass"],
        ...["PGSSLMODE=verify-full", "PGSSLROOTCERT=/run/stagecraft/ca.crt", "PORT=8080"],
        ...["STAGECRAFT_SERVER=staging", "STAGECRAFT_REVISION=4f2c9e1"],
      ],
      labels: [
        { label: "stagecraft.project", value: "stagecraft" },
        { label: "stagecraft.server", value: "staging" },
        { label: "stagecraft.made", value: "then" },
      ],
      networksAdvanced: [{ name: "stagecraft-staging" }],
      ports: [{ internal: 8080, external: 18080, ip: "127.0.0.1" }],
      volumes: [
        {
          volumeName: "stagecraft-staging-application",
          containerPath: "/run/stagecraft",
          readOnly: true,
        },
      ],
      memory: 512,
      memorySwap: 1024,
      logDriver: "json-file",
      logOpts: { "max-size": "10m", "max-file": "3" },
      stopTimeout: 10,
      destroyGraceSeconds: 10,
      restart: "always",
      readOnly: true,
      tmpfs: { "/tmp": "" },
      capabilities: { drops: ["ALL"] },
      securityOpts: ["no-new-privileges"],
      ulimits: [{ name: "nproc", soft: 4096, hard: 4096 }],
      removeVolumes: false,
    });
    // It begins with its password and with contents.
    expect(dependsOn).toContain("staging-application-files");
    expect(dependsOn).toContain("timesheets-restore");
  });

  test("gets its password as a file, by a secret on stdin and nowhere else", async () => {
    const { resources } = await register(staging);
    const files = findResource(resources, "staging-application-files", "Command");
    expect(files.inputs["stdin"]).toEqual({
      secret: "*:*:*:*:a\\:pass\\\\word\na certificate",
    });
    expect(files.inputs["environment"]).toEqual({
      ...{ VOLUME: "stagecraft-staging-application", OWNER: "5433", MADE: "then" },
      IMAGE: "stagecraft-server:0123456789ab",
    });
    // The names that the container's environment points to.
    expect(files.inputs["create"]).toContain("for file in pgpass ca.crt; do");
    const roles = findResource(resources, "staging-roles", "Command");
    const others = resources.map((resource) =>
      [files, roles].includes(resource)
        ? { ...resource, inputs: { ...resource.inputs, stdin: "" } }
        : resource,
    );
    expect(JSON.stringify(others)).not.toMatch(/pass\\+word/);
  });

  test("is restarted and looked at when the contents of its database are others, or its container is", async () => {
    const { resources } = await register(staging);
    const { inputs, dependsOn } = findResource(resources, "staging-application-check", "Command");
    expect(inputs["environment"]).toEqual({
      ...{ AGENT: "stagecraft-staging-agent", APPLICATION: "stagecraft-staging-application" },
      ...{ APPLICATION_ID: "id-of-staging-application", DATABASE: "timesheets" },
      ...{ RESTORE_ID: "r-7", HEALTH: "path", LIMIT: "60", WATCH: "2", GRACE: "10" },
    });
    expect(inputs["create"]).toContain('docker restart --time "$GRACE" "$APPLICATION"');
    expect(inputs).not.toHaveProperty("triggers");
    expect(dependsOn).toContain("timesheets-restore");
    expect(dependsOn).toContain("staging-application");
  });

  test("is known to the agent, until it is taken away", async () => {
    const { resources } = await register(staging);
    const { inputs } = findResource(resources, "staging-application", "Command");
    expect(JSON.parse(String(inputs["stdin"]))).toEqual({
      ...{ server: "staging", revision: "4f2c9e1" },
      url: "http://stagecraft-staging-application:8080/health",
    });
    expect(inputs["create"]).toContain('stagecraft-agent application "$GENERATION"');
    expect(inputs["delete"]).toContain("stagecraft-agent application-forget");
  });

  test("may have a command that tells whether it is well", async () => {
    const more = { healthPath: undefined, healthCommand: "test -e /tmp/well" };
    const { resources } = await register(() => staging(more));
    expect(
      findResource(resources, "staging-application", "Container").inputs["healthcheck"],
    ).toMatchObject({ tests: ["CMD-SHELL", "test -e /tmp/well"] });
    const check = findResource(resources, "staging-application-check", "Command").inputs[
      "environment"
    ];
    expect(check).toMatchObject({ HEALTH: "container" });
    expect(
      JSON.parse(String(findResource(resources, "staging-application", "Command").inputs["stdin"])),
    ).not.toHaveProperty("url");
  });

  test("takes a certificate from somewhere else for what it is", async () => {
    const pem = (what: string): string => `-----BEGIN ${what}-----\nAAAA\n-----END ${what}-----\n`;
    const tls = { certificate: pem("CERTIFICATE"), key: pem("PRIVATE KEY") };
    const { resources } = await register(() => staging({}, { tls }));
    const { envs } = findResource(resources, "staging-application", "Container").inputs as {
      envs: string[];
    };
    expect(envs).toContain("PGSSLMODE=require");
    expect(envs.join()).not.toContain("PGSSLROOTCERT");
  });

  test("is in the report of its server", async () => {
    const { made } = await register(staging);
    expect(await valueOf(made.report)).toMatchObject({
      result: "restored",
      application: { revision: "4f2c9e1", restarted: true, healthy: true },
    });
  });

  test("is there on production as well, and its volume goes with the stack", async () => {
    const { resources } = await register(
      () =>
        new ProductionServer("prod", {
          ...{ postgres: { port: 15434 }, passwords, application },
          database: { name: "timesheets", recoverFrom: dump },
        }),
    );
    const volume = findResource(resources, "prod-application", "Volume");
    expect(volume).toMatchObject({ protect: false, retainOnDelete: false });
    expect(
      findResource(resources, "prod-application-check", "Command").inputs["environment"],
    ).toMatchObject({ RESTORE_ID: "r-7" });
  });

  test("on another machine is reached through one connection, also when it is taken away", async () => {
    const { resources } = await register(() => staging({}, { host: "ssh://ops@far.example" }));
    for (const name of ["staging-application-check", "staging-application-files"]) {
      const { inputs } = findResource(resources, name, "Command");
      expect(inputs["create"]).toMatch(/^DOCKER_HOST=\$\(.*engine-over-ssh\.sh/);
      expect(inputs["environment"]).toMatchObject({ DOCKER_HOST: "ssh://ops@far.example" });
    }
    const { inputs } = findResource(resources, "staging-application", "Command");
    expect(inputs["delete"]).toMatch(/^DOCKER_HOST=\$\(/);
    expect(findResource(resources, "staging-application", "Container").provider).not.toBe("");
  });

  test("that is gone is told of, where it has been there", async () => {
    const fault = "stagecraft-staging-application is missing; it will be recreated";
    vi.mocked(inspectContainer).mockResolvedValue({ createdAt: "now", fault });
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    await register(staging);
    expect(warn).not.toHaveBeenCalled();
    const observed = await observeServer({} as never);
    const known = { revision: "4f2c9e1" };
    const seen = { ...observation({ sha256, restoreId: "r-7" }), application: known };
    vi.mocked(observeServer).mockResolvedValue({ ...observed, observation: seen });
    const { resources } = await register(staging);
    expect(warn).toHaveBeenCalledWith(fault, expect.anything());
    expect(
      findResource(resources, "staging-application", "Container").inputs["labels"],
    ).toContainEqual({
      ...{ label: "stagecraft.made", value: "now" },
    });
    warn.mockRestore();
  });

  test("is refused when an argument is wrong, with all that is", async () => {
    const wrong = { image: undefined, port: 0, user: 0 };
    await expect(register(() => staging(wrong))).rejects.toThrow(
      /^Application "staging-application"\.port must be a port.*\nApplication "staging-application"\.user must be .*\nApplication "staging-application"\. ?defines no image/s,
    );
  });
});

describe("an image that is built", () => {
  const folder = mkdtempSync(join(tmpdir(), "stagecraft-app-"));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  const built = { image: undefined, build: folder, revision: undefined };

  test("needs a Dockerfile", async () => {
    await expect(register(() => staging(built))).rejects.toThrow(
      `Application "staging-application": build: ${folder} has no Dockerfile`,
    );
  });

  test("is known by what is in its folder, which is its revision where no other is given", async () => {
    writeFileSync(join(folder, "Dockerfile"), "ARG SERVER_IMAGE\nFROM ${SERVER_IMAGE}\n");
    const imageOf = async (): Promise<string> => {
      const { made, resources } = await register(() => staging(built));
      const image = String(
        findResource(resources, "staging-application", "Container").inputs["image"],
      );
      expect(made.application?.revision).toBe(image);
      expect(
        findResource(resources, "staging-application-image", "Command").inputs["environment"],
      ).toMatchObject({
        ...{ TAG: image, SERVER_IMAGE: "stagecraft-server:0123456789ab" },
      });
      return image;
    };
    const first = await imageOf();
    expect(first).toMatch(/^stagecraft-application:[0-9a-f]{12}$/);
    expect(await imageOf()).toBe(first);
    writeFileSync(join(folder, "server.mjs"), "");
    expect(await imageOf()).not.toBe(first);
  });
});
