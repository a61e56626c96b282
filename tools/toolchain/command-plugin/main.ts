import * as grpc from "@grpc/grpc-js";
import { ResourceProviderService } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { EngineLog } from "./engine-log";
import { killCommands } from "./run-command";
import { pluginServer } from "./server";

// The version of the official plugin that this one replaces.
const version = "1.2.1";

function main(): void {
  const log = new EngineLog();
  // The engine passes its address, and sometimes flags such as `-v=9` or `--tracing URL`.
  const address = process.argv.slice(2).find((argument) => /^[^-].*:\d+$/.test(argument));
  if (address !== undefined) log.connect(address);

  const server = new grpc.Server({ "grpc.max_receive_message_length": 400 * 1024 * 1024 });
  server.addService(
    ResourceProviderService,
    pluginServer(version, log) as grpc.UntypedServiceImplementation,
  );
  server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
    if (error !== null) throw error;
    // The engine reads the port from the first line.
    process.stdout.write(`${String(port)}\n`);
  });

  // The engine sends SIGINT to its plugins and kills them after five seconds.
  process.on("SIGINT", () => process.exit(0));
  process.on("SIGTERM", () => process.exit(0));
  process.on("exit", killCommands);
  const engine = process.ppid;
  setInterval(() => {
    if (process.ppid !== engine) process.exit(1); // The engine was killed.
  }, 1000).unref();
}

main();
