import { afterAll, beforeAll } from "vitest";

/** Something on the engine that the tests of one file share. */
export interface FileResource {
  start(): Promise<void>;
  remove(): Promise<void>;
  /** Begins to remove it, from a process that is about to end and waits for nothing. */
  removeAtOnce(): void;
}

/** How a run that is stopped ends the process that does its tests. */
const ends = ["SIGTERM", "disconnect", "exit"] as const;

/** Starts something before the tests of a file and removes it after them, also when the run is stopped. */
export function useForFile<T extends FileResource>(resource: T): T {
  const stopped = (): void => {
    resource.removeAtOnce();
  };
  beforeAll(async () => {
    for (const end of ends) process.once(end, stopped);
    await resource.start();
  });
  afterAll(async () => {
    await resource.remove();
    for (const end of ends) process.off(end, stopped);
  });
  return resource;
}
