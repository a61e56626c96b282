import { z } from "zod";

/** The id of the restore that a command asks the agent for. */
const restoreSchema = z.object({
  inputs: z.object({ environment: z.object({ RESTORE_ID: z.string() }) }),
});

/** One operation on a resource. */
const metadataSchema = z.object({
  op: z.string(),
  urn: z.string(),
  type: z.string(),
  /** Of a command that restores; absent for all others. */
  new: restoreSchema.optional().catch(undefined),
});

/** One line of `pulumi up --json`: the parts of an engine event that are used. */
const engineEventSchema = z.object({
  diagnosticEvent: z
    .object({ urn: z.string().optional(), message: z.string(), severity: z.string() })
    .optional(),
  resourcePreEvent: z.object({ metadata: metadataSchema }).optional(),
  resOutputsEvent: z.object({ metadata: metadataSchema }).optional(),
  resOpFailedEvent: z.object({ metadata: metadataSchema }).optional(),
  summaryEvent: z
    .object({
      durationSeconds: z.number(),
      resourceChanges: z.record(z.string(), z.number()).nullish(),
    })
    .optional(),
});
export type EngineEvent = z.infer<typeof engineEventSchema>;

/** Reads one line of Pulumi's event output; `undefined` for anything else it prints. */
export function parseEngineEvent(line: string): EngineEvent | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return engineEventSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}

/** An operation on a resource, as it is shown. */
export interface Operation {
  readonly op: string;
  readonly name: string;
  /** `docker:index/container:Container` → `container`. */
  readonly kind: string;
}

/** An error of an update. */
export interface EngineError {
  readonly message: string;
  /** Whether the program raised it; else an operation on a resource, or the engine. */
  readonly isFromProgram: boolean;
}

/** State of an update, from its events so far. */
export interface UpdateState {
  /** Operations that are running, oldest first, by URN. */
  readonly running: ReadonlyMap<string, Operation>;
  /** Ids of the restores that commands of this update asked for. */
  readonly restoreIds: ReadonlySet<string>;
  /** Number of resources changed so far. */
  readonly changed: number;
  /** The agent's latest progress line. */
  readonly progress: string | undefined;
  readonly errors: readonly EngineError[];
  readonly warnings: readonly string[];
  /** What the program logs about the stack. */
  readonly notes: readonly string[];
  /** Number of resources by operation (`create`, `update`, …); `undefined` until the end. */
  readonly changes: Readonly<Record<string, number>> | undefined;
}

export const noEventsYet: UpdateState = {
  running: new Map(),
  restoreIds: new Set(),
  changed: 0,
  progress: undefined,
  errors: [],
  warnings: [],
  notes: [],
  changes: undefined,
};

const unchanging = new Set(["same", "read", "refresh"]);

/** The state of an update after one more event. */
export function afterEvent(state: UpdateState, event: EngineEvent): UpdateState {
  const { diagnosticEvent, resourcePreEvent, resOutputsEvent, resOpFailedEvent } = event;
  if (diagnosticEvent) return afterMessage(state, diagnosticEvent);
  if (resourcePreEvent) {
    const { op, urn, type, new: restore } = resourcePreEvent.metadata;
    if (unchanging.has(op) || isOnlyInState(type)) return state;
    const operation = { op, name: urn.split("::").at(-1) ?? urn, kind: kindOf(type) };
    const running = new Map([...state.running, [urn, operation]]);
    const id = restore?.inputs.environment.RESTORE_ID;
    const restoreIds = id === undefined ? state.restoreIds : new Set([...state.restoreIds, id]);
    return { ...state, running, restoreIds };
  }
  const ended = resOutputsEvent ?? resOpFailedEvent;
  if (ended) return afterEnd(state, ended.metadata.urn, resOutputsEvent !== undefined);
  if (event.summaryEvent) return { ...state, changes: event.summaryEvent.resourceChanges ?? {} };
  return state;
}

function afterMessage(
  state: UpdateState,
  { urn, message, severity }: { urn?: string | undefined; message: string; severity: string },
): UpdateState {
  switch (severity) {
    case "error":
      return { ...state, errors: [...state.errors, engineError(message, urn)] };
    case "warning":
      return { ...state, warnings: [...state.warnings, message] };
    case "info":
    case "info#err":
      // What a running command prints is progress; everything else is a note about the stack.
      if (urn !== undefined && state.running.has(urn)) {
        return { ...state, progress: message.trim().split("\n").at(-1) };
      }
      return { ...state, notes: [...state.notes, message.trim()] };
    default:
      return state;
  }
}

/** Messages of the program name no resource; Pulumi reports an exception that the program does not handle in its own words. */
export function engineError(message: string, urn: string | undefined): EngineError {
  const isUnhandled = /^Running program '.*' failed with an unhandled exception/.test(message);
  return { message, isFromProgram: (urn ?? "") === "" && !isUnhandled };
}

function afterEnd(state: UpdateState, urn: string, succeeded: boolean): UpdateState {
  if (!state.running.has(urn)) return state;
  const running = new Map(state.running);
  running.delete(urn);
  return { ...state, running, changed: state.changed + (succeeded ? 1 : 0), progress: undefined };
}

/** Whether a resource exists in Pulumi's state only: a component, a provider or the stack itself. */
function isOnlyInState(type: string): boolean {
  return /^(?:stagecraft|pulumi:providers):|^pulumi:pulumi:Stack$/.test(type);
}

function kindOf(type: string): string {
  return (type.split(":").at(-1) ?? type).replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
