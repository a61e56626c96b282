import { text } from "node:stream/consumers";
import { z } from "zod";
import {
  applicationHealthSchema,
  applicationReportRequestSchema,
} from "../../model/application/protocol";
import type { ApplicationReport } from "../../model/application/report";
import { reportApplication } from "../server/application/report";
import { AgentError } from "../system/errors";

const argumentsSchema = z.tuple([z.enum(["restarted", "not-restarted"]), z.string(), z.string()]);

/** The request and, behind its line, the application's log are on stdin; how it was found is in the arguments. */
export async function applicationReport(
  server: string,
  args: readonly string[],
): Promise<ApplicationReport> {
  const [restarted, started, health] = argumentsSchema.parse(args);
  const [line = "", ...log] = (await text(process.stdin)).split("\n");
  const request = applicationReportRequestSchema.parse(JSON.parse(line));
  if (request.server !== server) {
    throw new AgentError(`the request is for server ${request.server}, this is ${server}`);
  }
  return reportApplication(request, {
    restarted: restarted === "restarted",
    started,
    health: applicationHealthSchema.parse(JSON.parse(health)),
    log: log.join("\n"),
  });
}
