import * as pulumi from "@pulumi/pulumi";

/** A resource as the program registered it. */
export interface Registered {
  readonly type: string;
  readonly name: string;
  /** Plain values; a secret one is `{ secret: value }`. */
  readonly inputs: Record<string, unknown>;
  /** Name of the parent. */
  readonly parent: string;
  readonly dependsOn: readonly string[];
  readonly protect: boolean;
  readonly retainOnDelete: boolean;
  /** Reference of the provider that is not the usual one; empty for that. */
  readonly provider: string;
  /** Another value replaces the resource. */
  readonly replacementTrigger: unknown;
}

/** What a program registers, in the order of types and names, and how it reads its outputs. */
export async function register<T>(program: () => T): Promise<{ made: T; resources: Registered[] }> {
  const resources: Registered[] = [];
  await pulumi.runtime.setMocks(
    {
      newResource: ({ name, inputs }) => ({
        id: `id-of-${name}`,
        state: { ...(inputs as object), ...computed(name) },
      }),
      call: () => ({}),
    },
    "stagecraft",
    "test",
  );
  const monitor = pulumi.runtime.getMonitor() as unknown as Monitor;
  const registerResource = monitor.registerResource.bind(monitor);
  monitor.registerResource = (request, callback) => {
    resources.push(read(request));
    return registerResource(request, callback);
  };
  try {
    const made = program();
    await drained(resources);
    return { made, resources: resources.sort(byTypeAndName) };
  } finally {
    await drained(resources);
  }
}

/** Waits until nothing is registered any more, so that no call reaches the mocks of the next test. */
async function drained(resources: readonly unknown[]): Promise<void> {
  let before;
  do {
    before = resources.length;
    await pulumi.runtime.disconnect();
    await new Promise((resolve) => setImmediate(resolve));
  } while (resources.length > before);
}

/** The value of an output. */
export async function valueOf<T>(output: pulumi.Output<T>): Promise<T> {
  return new Promise((resolve) => output.apply(resolve));
}

interface Request {
  getType(): string;
  getName(): string;
  getParent(): string;
  getDependenciesList(): string[];
  getProtect(): boolean;
  getRetainondelete(): boolean;
  getProvider(): string;
  getReplacementTrigger(): { toJavaScript(): unknown } | undefined;
  getObject(): { toJavaScript(): Record<string, unknown> };
}

interface Monitor {
  registerResource: (request: Request, callback: unknown) => unknown;
}

function read(request: Request): Registered {
  return {
    type: request.getType(),
    name: request.getName(),
    inputs: plain(request.getObject().toJavaScript()) as Record<string, unknown>,
    parent: nameOf(request.getParent()),
    dependsOn: request.getDependenciesList().map(nameOf),
    protect: request.getProtect(),
    retainOnDelete: request.getRetainondelete(),
    provider: request.getProvider(),
    replacementTrigger: request.getReplacementTrigger()?.toJavaScript(),
  };
}

function nameOf(urn: string): string {
  return urn.split("::").at(-1) ?? "";
}

/** How a secret is marked on its way to the engine. */
const secretMark = "4dabf18193072939515e22adb298388d";

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) return value;
  if (secretMark in value) return { secret: plain((value as { value?: unknown }).value) };
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
}

function computed(name: string): Record<string, unknown> {
  if (name.endsWith("-tls")) return { stdout: certified };
  if (name.endsWith("-pg-hba-check")) return { stdout: hbaPlace };
  if (name.endsWith("-pg-hba-place")) return { stdout: "20261122T091400.000000000Z" };
  if (name.endsWith("-pg-hba-try")) return { stdout: hbaTried };
  if (name.endsWith("-application-check")) return { stdout: applicationChecked };
  return name.endsWith("-restore") ? { stdout: restored } : {};
}

const applicationChecked = JSON.stringify({
  ...{ revision: "4f2c9e1", restarted: true, healthy: true, seconds: 1.2 },
});

const hbaPlace = JSON.stringify({
  hbaFile: "/etc/postgresql/17/main/pg_hba.conf",
  dataDirectory: "/var/lib/postgresql/17/main",
});

const hbaTried = JSON.stringify({ outcome: "keep", text: "" });

const certified = JSON.stringify({
  ca: "a certificate",
  expires: "2027-12-24T09:14:00.000Z",
  names: ["localhost"],
  changed: true,
  reason: "there was none",
  warnings: [],
});

const restored = JSON.stringify({
  result: "restored",
  server: "dev",
  database: "timesheets",
  source: { name: "timesheets.sql", sha256: "a".repeat(64) },
  restoreId: "aaaaaaaaaaaa-1",
  startedAt: "2026-11-22T09:14:00.000Z",
  steps: [],
  awaySeconds: 0,
  text: "timesheets ← timesheets.sql   passed",
});

function byTypeAndName(a: Registered, b: Registered): number {
  return a.type.localeCompare(b.type) || a.name.localeCompare(b.name);
}

/** The registered resource of a name whose type contains a word. */
export function findResource(
  resources: readonly Registered[],
  name: string,
  type = "",
): Registered {
  const found = resources.find((r) => r.name === name && r.type.includes(type));
  if (!found) throw new Error(`no ${type} ${name}`);
  return found;
}
