import { vi } from "vitest";
import type { VerbName } from "../../../contract/verbs";
import type { TestServer } from "../servers/server";

/** Something that an agent is asked for in one or several calls. */
export interface Act {
  readonly name: string;
  /** The verbs that it calls. */
  readonly verbs: readonly VerbName[];
  readonly run: () => Promise<void>;
}

/** Notes which verbs a server's agent is asked for. */
export class VerbRecorder {
  readonly #calls;

  constructor(server: TestServer) {
    this.#calls = vi.spyOn(server, "agentWith");
  }

  /** Names of the verbs since the last call, each once, sorted. */
  take(): string[] {
    const names = this.#calls.mock.calls.map(([[name = ""]]) => name);
    this.#calls.mockClear();
    return [...new Set(names)].sort();
  }
}
