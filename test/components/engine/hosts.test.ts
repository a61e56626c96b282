import { createHash } from "node:crypto";
import { beforeEach, expect, test } from "vitest";
import { DevelopmentServer, type Dump } from "../../../components";
import { register, type Registered } from "../../support/components/mocks";
import { mockObservedServer } from "../../support/components/server-observation";

const host = "ssh://ops@dev.example.com";
const dump: Dump = {
  path: "dumps/timesheets.sql",
  isFolder: false,
  source: { name: "timesheets.sql", sha256: "a".repeat(64) },
};

const program = (where: string | undefined) => () =>
  new DevelopmentServer("dev", {
    host: where,
    postgres: { port: 15432 },
    database: { name: "timesheets", refreshFrom: dump },
    passwords: { application: "the first", readonly: "the second", monitor: "the third" },
  });

beforeEach(() => {
  const made = { network: "then", postgres: "then", agent: "now", scratch: "then" };
  mockObservedServer(undefined, { createdAt: made });
});

function find(resources: readonly Registered[], type: string, name: string): Registered {
  const found = resources.find((r) => r.name === name && r.type.includes(type));
  if (!found) throw new Error(`no ${type} ${name}`);
  return found;
}

test("a server on another machine has the resources of one here, with a provider, and an image that is loaded", async () => {
  const names = async (where: string): Promise<string[]> =>
    (await register(program(where))).resources.map(({ type, name }) => `${type} ${name}`);
  const here = await names("local");
  const there = await names(host);
  expect(there.filter((name) => !here.includes(name))).toEqual([
    `pulumi:providers:docker dev-${host}`,
  ]);
  expect(here.filter((name) => !there.includes(name))).toEqual([]);
  const image = async (where: string): Promise<unknown> =>
    find((await register(program(where))).resources, "Command", "dev-image").inputs["create"];
  expect(await image(host)).toContain("docker save");
  expect(await image("local")).toBe(
    'docker image inspect "$TAG" > /dev/null 2>&1 || DOCKER_BUILDKIT=0 docker build --tag "$TAG" ${SERVER_IMAGE:+--build-arg "SERVER_IMAGE=$SERVER_IMAGE"} "$CONTEXT" >&2 ||\n' +
      '  { [ -n "$SERVER_IMAGE" ] || echo "if the base image is missing, prepare it with: npx stagecraft doctor --fix" >&2; exit 1; }',
  );
});

test("all that is made of Docker's is made by the provider of the host", async () => {
  const { resources } = await register(program(host));
  const parts = resources.filter(({ type }) => type.startsWith("docker:"));
  expect(parts).toHaveLength(10);
  for (const { provider } of parts) expect(provider).toContain(`::dev-${host}::`);
  const here = await register(program("local"));
  for (const { provider } of here.resources) expect(provider).toBe("");
});

test("the provider never asks anybody, knows the host's key, and shares the connection of the others", async () => {
  const { resources } = await register(program(host));
  const { inputs } = find(resources, "pulumi:providers:docker", `dev-${host}`);
  expect(inputs["host"]).toBe(host);
  const name = createHash("sha256").update(host).digest("hex").slice(0, 12);
  expect(JSON.parse(inputs["sshOpts"] as string)).toEqual([
    ...["-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=10"],
    ...["-o", `ControlPath=~/.cache/stagecraft/ssh/${name}`],
  ]);
});

test("every command goes to the host, and none of a server here goes anywhere else", async () => {
  const commands = async (where: string | undefined): Promise<Registered[]> =>
    (await register(program(where))).resources.filter(
      ({ type, name }) => type === "command:local:Command" && name !== "dev-image",
    );
  const there = await commands(host);
  const here = await commands(undefined);
  expect(there.map(({ name }) => name)).toEqual(here.map(({ name }) => name));
  for (const [at, { inputs }] of there.entries()) {
    const before = here[at]?.inputs ?? {};
    expect(inputs["environment"]).toEqual({
      ...(before["environment"] as object),
      DOCKER_HOST: host,
    });
    expect(inputs["create"]).toBe(
      `DOCKER_HOST=$("$PWD/engine/engine-over-ssh.sh" "$DOCKER_HOST") || exit\n${before["create"] as string}`,
    );
    expect(before["environment"]).not.toHaveProperty("DOCKER_HOST");
  }
});

test.each([
  [host, { HOST: host, WHAT: "server image", ENGINE_OVER_SSH: "engine/engine-over-ssh.sh" }],
  ["local", {}],
])(
  "containers on %s are of the image by its tag, and are made when it is there",
  async (where, more) => {
    const { resources } = await register(program(where));
    expect(find(resources, "Command", "dev-image").inputs["environment"]).toEqual({
      ...more,
      TAG: "stagecraft-server:0123456789ab",
      CONTEXT: ".stagecraft/image/0123456789ab",
      // A container that is made anew may find the image gone.
      CONTAINERS: "then now",
    });
    for (const name of ["dev-postgres", "dev-agent"]) {
      const { inputs, dependsOn } = find(resources, "Container", name);
      expect(inputs["image"]).toBe("stagecraft-server:0123456789ab");
      expect(dependsOn).toContain("dev-image");
    }
  },
);

test("a server that moves is another one for everything on its engine", async () => {
  for (const where of ["local", host]) {
    const { resources } = await register(program(where));
    const parts = resources.filter(({ type }) => type.startsWith("docker:"));
    for (const { replacementTrigger } of parts) expect(replacementTrigger).toBe(where);
  }
});

test("a host that is none is refused", async () => {
  await expect(register(program("dev.example.com"))).rejects.toThrow(
    'PostgresServer "dev".host must be local or an address like ssh://ops@staging.example.com, got "dev.example.com"',
  );
});
