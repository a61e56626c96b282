/** Something a person can do something about: shown as it is, never with a stack trace. */
export class Problem extends Error {
  override readonly name = "Problem";

  /**
   * @param message what is wrong, with the value
   * @param fix what to do about it; a command or a sentence
   */
  constructor(
    message: string,
    readonly fix?: string | readonly string[],
  ) {
    super(message);
  }
}

/** Raised when somebody interrupted or said no: nothing more to tell. */
export class Cancelled extends Error {
  override readonly name = "Stopped";
}
