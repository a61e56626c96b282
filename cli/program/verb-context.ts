/** What a verb needs: where the project is, and a way to set the exit status. */
export interface VerbContext {
  readonly folder: () => string;
  readonly exit: (status: number) => void;
}
