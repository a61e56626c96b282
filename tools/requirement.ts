/** One thing a machine needs. */
export interface Requirement {
  /** As a person reads it in a list, e.g. `"Docker engine"`. */
  readonly name: string;
  /** Looks only: fast, and touches nothing. */
  check(): Promise<Finding>;
  /**
   * Makes it so. Does nothing when it is so already; may be interrupted and run again.
   * Returns the detail to show, e.g. `"26.1, running"`; raises {@link RequirementError}.
   */
  ensure(progress: Progress): Promise<string>;
}

/** Told what is going on, in a few words, whenever that changes. */
export type Progress = (text: string) => void;

/** What `check` saw, and what a person can do about it. */
export type Finding =
  | { readonly ok: true; readonly detail: string }
  | { readonly ok: false; readonly detail: string; readonly fix: string };

/** Raised when a machine cannot be made ready: the message says what is missing, and the fix. */
export class RequirementError extends Error {
  override readonly name = "RequirementError";

  constructor(
    readonly what: string,
    readonly fix: string,
  ) {
    super(`${what}\n  fix   ${fix}`);
  }
}
