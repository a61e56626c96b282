import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll } from "vitest";
import { docker, type TestServer } from "./server";

/** What a webhook was told. */
export interface ToldAlert {
  readonly event: string;
  readonly text: string;
  readonly log: readonly string[];
}

/** A webhook on this machine that keeps what it is told. */
export interface TestWebhook {
  readonly told: ToldAlert[];
  /** Its address as the agent of a server reaches it. */
  readonly addressFor: (server: TestServer) => Promise<string>;
}

/** Serves a webhook for the tests of a file. */
export function useWebhook(): TestWebhook {
  const told: ToldAlert[] = [];
  const http: Server = createServer((request, response) => {
    let body = "";
    request.on("data", (piece: Buffer) => (body += piece.toString()));
    request.on("end", () => {
      told.push(JSON.parse(body) as ToldAlert);
      response.end();
    });
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => http.listen(0, "0.0.0.0", resolve));
  });
  afterAll(() => {
    http.close();
  });
  return {
    told,
    addressFor: async (server) => {
      const gateway = await docker(
        ...["network", "inspect", "--format", "{{(index .IPAM.Config 0).Gateway}}", server.name],
      );
      return `http://${gateway}:${(http.address() as AddressInfo).port}/hook`;
    },
  };
}
