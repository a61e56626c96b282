/** Runs a step of a job and records its duration under a name. */
export type RunStep = <T>(name: string, work: () => Promise<T>) => Promise<T>;
