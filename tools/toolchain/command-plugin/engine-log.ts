import * as grpc from "@grpc/grpc-js";
import { EngineClient } from "@pulumi/pulumi/proto/engine_grpc_pb";
import { LogRequest, LogSeverity } from "@pulumi/pulumi/proto/engine_pb";

/** Sends log lines to the Pulumi engine, in order, while a command is running. */
export class EngineLog {
  #engine: EngineClient | undefined;
  #last: Promise<void> = Promise.resolve();

  connect(address: string): void {
    this.#engine = new EngineClient(address, grpc.credentials.createInsecure());
  }

  /** Logs a status line of a resource, shown next to it while it runs, like the official plugin. */
  info(message: string, urn: string): void {
    const request = new LogRequest()
      .setSeverity(LogSeverity.INFO)
      .setMessage(message)
      .setUrn(urn)
      .setEphemeral(true);
    this.#last = this.#last.then(() => this.#send(request));
  }

  /** Resolves once the engine has received all lines so far. */
  async flush(): Promise<void> {
    await this.#last;
  }

  async #send(request: LogRequest): Promise<void> {
    const engine = this.#engine;
    if (engine === undefined) return;
    // Failing to log a line must not fail the command.
    await new Promise<void>((resolve) => {
      engine.log(request, () => {
        resolve();
      });
    });
  }
}
