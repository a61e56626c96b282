import { randomBytes } from "node:crypto";
import * as grpc from "@grpc/grpc-js";
import type { IResourceProviderServer } from "@pulumi/pulumi/proto/provider_grpc_pb";
import { PluginInfo } from "@pulumi/pulumi/proto/plugin_pb";
import * as proto from "@pulumi/pulumi/proto/provider_pb";
import { Empty } from "google-protobuf/google/protobuf/empty_pb";
import { Struct } from "google-protobuf/google/protobuf/struct_pb";
import type { EngineLog } from "./engine-log";
import type { CommandKind } from "./command-kind";
import { apply, checkInputs, diff, previewed, updateText } from "./command-resource";
import { invoke, localCommand } from "./local-command";
import { remoteCommand } from "./remote-command";
import { stopCommands } from "./run-command";
import { closeConnections } from "./ssh-connection";
import type { Value, Values } from "./values";

const kinds: readonly CommandKind[] = [localCommand, remoteCommand];
const runFunction = "command:local:run";

/** Implements Pulumi's resource provider protocol for both kinds of commands. */
export function pluginServer(version: string, log: EngineLog): Partial<IResourceProviderServer> {
  const logFor = (urn: string) => (line: string) => {
    log.info(line, urn);
  };
  const kindOf = (urn: string): CommandKind => {
    const type = typeOf(urn);
    const kind = kinds.find((kind) => kind.type === type);
    if (kind) return kind;
    throw new Error(
      `${type} is not part of this build of the command plugin, which only has ${kinds.map(({ type }) => type).join(" and ")}; ` +
        `install Pulumi's own: pulumi plugin install resource command ${version}`,
    );
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
      closeConnections();
      return new Empty();
    }),

    check: answer((request) => {
      const kind = kindOf(request.getUrn());
      const { inputs, problems } = checkInputs(kind, values(request.getNews()));
      const failures = problems.map(({ property, reason }) =>
        new proto.CheckFailure().setProperty(property).setReason(reason),
      );
      return new proto.CheckResponse().setInputs(struct(inputs)).setFailuresList(failures);
    }),

    diff: answer((request) => {
      const kind = kindOf(request.getUrn());
      const differences = diff(kind, values(request.getOlds()), values(request.getNews()));
      const { DIFF_NONE, DIFF_SOME } = proto.DiffResponse.DiffChanges;
      const response = new proto.DiffResponse()
        .setChanges(differences.length === 0 ? DIFF_NONE : DIFF_SOME)
        .setDiffsList(differences.map(({ property }) => property))
        .setReplacesList(differences.filter((it) => it.replaces).map((it) => it.property))
        .setHasdetaileddiff(true);
      for (const { property, kind: how, replaces } of differences) {
        const difference = new proto.PropertyDiff().setInputdiff(true);
        response
          .getDetaileddiffMap()
          .set(property, difference.setKind(differenceKinds[how][replaces ? 1 : 0]));
      }
      return response;
    }),

    create: answer(async (request) => {
      const inputs = values(request.getProperties());
      const command = inputs["create"] ?? undefined;
      const outputs = request.getPreview()
        ? previewed(inputs, command)
        : await apply(kindOf(request.getUrn()), command, inputs, {}, logFor(request.getUrn()));
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
      const command = updateText(inputs);
      const outputs = request.getPreview()
        ? previewed(inputs, command, olds)
        : await apply(kindOf(request.getUrn()), command, inputs, olds, logFor(request.getUrn()));
      await log.flush();
      return new proto.UpdateResponse().setProperties(struct(outputs));
    }),

    delete: answer(async (request) => {
      const state = values(request.getProperties());
      const command = state["delete"] ?? undefined;
      await apply(kindOf(request.getUrn()), command, state, state, logFor(request.getUrn()));
      await log.flush();
      return new Empty();
    }),

    invoke: answer(async (request) => {
      if (request.getTok() !== runFunction) {
        throw new Error(
          `${request.getTok()} is not a function of this build of the command plugin`,
        );
      }
      const result = await invoke(values(request.getArgs()), logFor(""));
      await log.flush();
      return new proto.InvokeResponse().setReturn(struct(result));
    }),
  };
}

const { ADD, ADD_REPLACE, DELETE, DELETE_REPLACE, UPDATE, UPDATE_REPLACE } =
  proto.PropertyDiff.Kind;
const differenceKinds = {
  add: [ADD, ADD_REPLACE],
  delete: [DELETE, DELETE_REPLACE],
  update: [UPDATE, UPDATE_REPLACE],
} as const;

/** Wraps a function as a gRPC handler; an exception becomes the error of the call. */
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
  const document: Value = {
    name: "command",
    version,
    resources: Object.fromEntries(kinds.map(({ type }) => [type, {}])),
  };
  return JSON.stringify(document);
}
