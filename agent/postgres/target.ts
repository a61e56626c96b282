import { AsyncLocalStorage } from "node:async_hooks";

/** Directory of the Unix socket of PostgreSQL, shared by the two containers of a server. */
export const socketFolder = process.env.PGHOST ?? "/run/postgresql";

const scratch = new AsyncLocalStorage<string>();

/** Runs `work`, whose connections lead to the scratch server with its socket in `folder`, not to the server itself. */
export async function atScratchServer<T>(folder: string, work: () => Promise<T>): Promise<T> {
  return scratch.run(folder, work);
}

/** Whether connections lead to the scratch server. */
export function isAtScratchServer(): boolean {
  return scratch.getStore() !== undefined;
}

/** Directory of the socket that connections lead to. */
export function currentSocketFolder(): string {
  return scratch.getStore() ?? socketFolder;
}
