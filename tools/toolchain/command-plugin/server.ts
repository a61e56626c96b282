import { randomBytes } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import type { IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { EngineLog } from "./engine-log";
import * as localCommand from "./local-command";
import { stopCommands } from "./run-command";
import type { Value, Values } from "./values";

const commandType = "command:local:Command";
const runFunction = "command:local:run";

/** Pulumi's resource provider protocol around `local-command`. */
export function pluginServer(version: string, log: EngineLog): Partial<IResourceProviderServer> {
  const logFor = (urn: string) => (line: string) => {
    log.info(line, urn);
  };
  return {
    getPluginInfo: answer(() => new PluginInfo().setVersion(version)),
    attach: answer((request) => {
      log.connect(request.getAddress());
      return new Empty();
    }),
    getSchema: answer(() => new proto.GetSchemaResponse().setSchema(schema(version))),
    checkConfig: answer((request) => new proto.CheckResponse().setInputs(request.getNews())),
    diffConfig: answer(() => new proto.DiffResponse()),
    configure: answer(() =>
      new proto.ConfigureResponse().setAcceptsecrets(true).setSupportspreview(true),
    ),
    cancel: answer(() => {
      stopCommands();
      return new Empty();
    }),

    check: answer((request) => {
      const type = typeOf(request.getUrn());
      if (type !== commandType) {
        throw new Error(
          `${type} is not part of this build of the command plugin, which has only ${commandType}; ` +
            `install Pulumi's own: pulumi plugin install resource command ${version}`,
        );
      }
      const { inputs, problems } = localCommand.check(values(request.getNews()));
      const failures = problems.map(({ property, reason }) =>
        new proto.CheckFailure().setProperty(property).setReason(reason),
      );
      return new proto.CheckResponse().setInputs(struct(inputs)).setFailuresList(failures);
    }),

    diff: answer((request) => {
      const differences = localCommand.diff(values(request.getOlds()), values(request.getNews()));
      const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
      const response = new proto.DiffResponse()
        .setChanges(differences.length === 0 ? DIFF_NONE : DIFF_SOME)
        .setDiffsList(differences.map(({ property }) => property))
        .setReplacesList(differences.filter((it) => it.replaces).map((it) => it.property))
        .setHasdetaileddiff(true);
      for (const { property, kind, replaces } of differences) {
        const difference = new proto.PropertyDiff().setInputdiff(true);
        response
          .getDetaileddiffMap()
          .set(property, difference.setKind(kinds[kind][replaces ? 1 : 0]));
      }
      return response;
    }),

    create: answer(async (request) => {
      const inputs = values(request.getProperties());
      const command = inputs["create"] ?? undefined;
      const outputs = request.getPreview()
        ? localCommand.previewed(inputs, command)
        : await localCommand.apply(command, inputs, {}, logFor(request.getUrn()));
      await log.flush();
      return new proto.CreateResponse()
        .setId(
          request.getPreview() ? "" : nameOf(request.getUrn()) + randomBytes(4).toString("hex"),
        )
        .setProperties(struct(outputs));
    }),

    read: answer((request) =>
      new proto.ReadResponse()
        .setId(request.getId())
        .setInputs(request.getInputs())
        .setProperties(request.getProperties()),
    ),

    update: answer(async (request) => {
      const inputs = values(request.getNews());
      const olds = values(request.getOlds());
      const command = localCommand.updateText(inputs);
      const outputs = request.getPreview()
        ? localCommand.previewed(inputs, command, olds)
        : await localCommand.apply(command, inputs, olds, logFor(request.getUrn()));
      await log.flush();
      return new proto.UpdateResponse().setProperties(struct(outputs));
    }),

    delete: answer(async (request) => {
      const state = values(request.getProperties());
      const command = state["delete"] ?? undefined;
      await localCommand.apply(command, state, state, logFor(request.getUrn()));
      await log.flush();
      return new Empty();
    }),

    invoke: answer(async (request) => {
      if (request.getTok() !== runFunction) {
        throw new Error(
          `${request.getTok()} is not a function of this build of the command plugin`,
        );
      }
      const result = await localCommand.invoke(values(request.getArgs()), logFor(""));
      await log.flush();
      return new proto.InvokeResponse().setReturn(struct(result));
    }),
  };
}

const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } =
  proto.PropertyDiff.Kind;
const kinds = {
  add: [ADD, ADD_REPLACE],
  delete: [DELETE, DELETE_REPLACE],
  update: [UPDATE, UPDATE_REPLACE],
} as const;

/** A gRPC handler from a plain function: what it throws becomes the text of the call's error. */
function answer<Request, Response>(
  handle: (request: Request) => Response | Promise<Response>,
): grpc.handleUnaryCall<Request, Response> {
  return (call, callback) => {
    void (async () => handle(call.request))().then(
      (response) => {
        callback(null, response);
      },
      (error: unknown) => {
        const details = error instanceof Error ? error.message : String(error);
        callback({ code: grpc.status.UNKNOWN, details });
      },
    );
  };
}

function values(given: Struct | undefined): Values {
  return given?.toJavaScript() ?? {};
}

function struct(given: Values): Struct {
  return Struct.fromJavaScript(given);
}

/** `urn:pulumi:stack::project::parent$type::name` */
function typeOf(urn: string): string {
  return urn.split("::")[2]?.split("$").at(-1) ?? "";
}

function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}

function schema(version: string): string {
  const document: Value = { name: "command", version, resources: { [commandType]: {} } };
  return JSON.stringify(document);
}
