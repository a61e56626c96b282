import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { engineOfContext } from "../../../tools/docker-context";
import { scratchFolder } from "../../support/files/scratch-folder";

const id = (name: string): string => createHash("sha256").update(name).digest("hex");

/** A folder of Docker's client with two contexts, of which the second one has certificates. */
async function dockerConfig(currentContext?: string): Promise<string> {
  const folder = await scratchFolder();
  for (const name of ["far", "tls"]) {
    const meta = join(folder, "contexts", "meta", id(name));
    mkdirSync(meta, { recursive: true });
    const Endpoints = { docker: { Host: `ssh://deploy@${name}.example.com` } };
    writeFileSync(join(meta, "meta.json"), JSON.stringify({ Name: name, Endpoints }));
  }
  mkdirSync(join(folder, "contexts", "tls", id("tls")), { recursive: true });
  writeFileSync(join(folder, "config.json"), JSON.stringify({ currentContext }));
  return folder;
}

test("a selected context is followed, by DOCKER_CONTEXT or docker context use", async () => {
  const far = { host: "ssh://deploy@far.example.com" };
  const DOCKER_CONFIG = await dockerConfig();
  expect(engineOfContext({ DOCKER_CONFIG, DOCKER_CONTEXT: "far" })).toEqual(far);
  expect(engineOfContext({ DOCKER_CONFIG: await dockerConfig("far") })).toEqual(far);
});

test("without a context, or with DOCKER_HOST, which goes before it, nothing is selected", async () => {
  const DOCKER_CONFIG = await dockerConfig("far");
  const chosen = [
    { DOCKER_CONFIG: await dockerConfig() },
    { DOCKER_CONFIG, DOCKER_CONTEXT: "default" },
    { DOCKER_CONFIG, DOCKER_HOST: "unix:///run/docker.sock" },
    { DOCKER_CONFIG: "/nowhere" },
  ];
  expect(chosen.map((environment) => engineOfContext(environment))).toEqual(
    chosen.map(() => undefined),
  );
});

test("a context that cannot be followed is named", async () => {
  const DOCKER_CONFIG = await dockerConfig();
  expect(engineOfContext({ DOCKER_CONFIG, DOCKER_CONTEXT: "fra" })).toEqual({
    problem: 'there is no Docker context "fra"',
    fix: "docker context ls, or use the default one: DOCKER_CONTEXT=default",
  });
  expect(engineOfContext({ DOCKER_CONFIG, DOCKER_CONTEXT: "tls" })).toMatchObject({
    problem: expect.stringContaining('Docker context "tls" has TLS certificates') as string,
  });
});
