/** A requirement of the machine that Stagecraft runs on. */
export interface Requirement {
  /** Display name, e.g. `"Docker engine"`. */
  readonly name: string;
  /** Checks the requirement quickly, without changing anything. */
  check(): Promise<CheckResult>;
  /**
   * Meets the requirement; does nothing if it is already met. May be interrupted and run again.
   * Returns the detail to show, e.g. `"26.1, running"`; raises {@link RequirementError}.
   */
  ensure(progress: ProgressCallback): Promise<string>;
}

/** Reports the current step in a few words. */
export type ProgressCallback = (text: string) => void;

/** Result of a check; if it failed, with the fix. */
export type CheckResult =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly detail: string; readonly fix: string };

/** Raised if a requirement cannot be met; the message states what is missing, and the fix. */
export class RequirementError extends Error {
  override readonly name = "RequirementError";

  constructor(
    readonly what: string,
    readonly fix: string,
  ) {
    super(`${what}\n  fix   ${fix}`);
  }
}
