/** Does a part of the work and measures it under a name. */
export type RunStep = <T>(name: string, work: () => Promise<T>) => Promise<T>;
