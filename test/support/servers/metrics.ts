import type { TestServer } from "./server";

/** What Prometheus would be told by the agent of a server. */
export async function readMetrics(server: TestServer): Promise<string> {
  const ask = `fetch("http://${server.agentContainer}:9187/metrics").then(async (r) => console.log(await r.text()))`;
  return (await server.run(["node", "-e", ask])).stdout;
}
