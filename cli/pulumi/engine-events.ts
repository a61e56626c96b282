import { z } from "zod";

/** What is being done to one resource. Pulumi names more operations; those that change nothing are left out of what is shown. */
const metadataSchema = z.object({ op: z.string(), urn: z.string(), type: z.string() });

/** One line of `pulumi up --json`: the parts of an engine event that are shown. */
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

/** A resource as people know it: its name and what it is. */
export interface Operation {
  readonly op: string;
  readonly name: string;
  /** `docker:index/container:Container` → `container`. */
  readonly kind: string;
}

/** Where an update is, as far as its events tell. */
export interface UpdateState {
  /** Under way, oldest first, by URN. */
  readonly running: ReadonlyMap<string, Operation>;
  /** Resources that were changed. */
  readonly changed: number;
  /** The newest line that the agent wrote about what it does. */
  readonly progress: string | undefined;
  readonly errors: readonly string[];
  readonly warnings: readonly string[];
  /** What the program tells about the stack. */
  readonly notes: readonly string[];
  /** How many resources were created, updated, … ; absent until the end. */
  readonly changes: Readonly<Record<string, number>> | undefined;
}

export const noEventsYet: UpdateState = {
  running: new Map(),
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
    const { op, urn, type } = resourcePreEvent.metadata;
    if (unchanging.has(op) || isComponent(type)) return state;
    const operation = { op, name: urn.split("::").at(-1) ?? urn, kind: kindOf(type) };
    return { ...state, running: new Map([...state.running, [urn, operation]]) };
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
      return { ...state, errors: [...state.errors, message] };
    case "warning":
      return { ...state, warnings: [...state.warnings, message] };
    case "info":
    case "info#err":
      // A command under way tells how far it is; everything else is told for good.
      if (urn !== undefined && state.running.has(urn)) {
        return { ...state, progress: message.trim().split("\n").at(-1) };
      }
      return { ...state, notes: [...state.notes, message.trim()] };
    default:
      return state;
  }
}

function afterEnd(state: UpdateState, urn: string, succeeded: boolean): UpdateState {
  if (!state.running.has(urn)) return state;
  const running = new Map(state.running);
  running.delete(urn);
  return { ...state, running, changed: state.changed + (succeeded ? 1 : 0), progress: undefined };
}

function isComponent(type: string): boolean {
  return type.startsWith("stagecraft:") || type === "pulumi:pulumi:Stack";
}

function kindOf(type: string): string {
  return (type.split(":").at(-1) ?? type).replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase();
}
