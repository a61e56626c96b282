/** What the program passes to its verbs. */
export interface VerbContext {
  /** The project folder. Raises a `Rejection` if there is none. */
  readonly folder: () => string;
  /** Sets the exit status: an `ExitStatus`, or that of a program which a verb ran. */
  readonly exit: (status: number) => void;
}
