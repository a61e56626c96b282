import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Sends lines to the engine, one after the other, while a command is still running. */
export class EngineLog {
  #engine: EngineClient | undefined;
  #last: Promise<void> = Promise.resolve();

  connect(address: string): void {
    this.#engine = new EngineClient(address, grpc.credentials.createInsecure());
  }

  /** A status line of the resource: shown beside it while it runs, as the official plugin does. */
  info(message: string, urn: string): void {
    const request = new LogRequest()
      .setSeverity(LogSeverity.INFO)
      .setMessage(message)
      .setUrn(urn)
      .setEphemeral(true);
    this.#last = this.#last.then(() => this.#send(request));
  }

  /** Resolves when all lines so far have reached the engine. */
  async flush(): Promise<void> {
    await this.#last;
  }

  async #send(request: LogRequest): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    // A line that cannot be shown is no reason for the command to fail.
    await new Promise<void>((resolve) => {
      engine.log(request, () => {
        resolve();
      });
    });
  }
}
