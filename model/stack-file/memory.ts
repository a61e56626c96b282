const megabyte = 2 ** 20;

/** Allocation of a server's memory, in MB. */
export interface MemoryPlan {
  /** Limit of the container. */
  readonly container: number;
  /** Size of `/dev/shm`, which parallel queries and index builds use. */
  readonly sharedMemory: number;
  /** PostgreSQL's parameters. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Allocates a server's memory: a quarter for `shared_buffers`, the rest for sessions and the page cache. */
export function planMemory(bytes: number): MemoryPlan {
  const container = Math.floor(bytes / megabyte);
  return {
    container,
    sharedMemory: Math.max(64, Math.floor(container / 4)),
    parameters: {
      shared_buffers: megabytes(container / 4),
      effective_cache_size: megabytes((container * 3) / 4),
      // A hundred connections may each use this three times besides `shared_buffers`.
      work_mem: megabytes(Math.max(4, container / 400)),
      maintenance_work_mem: megabytes(Math.min(1024, container / 16)),
      // Each may take its share of the memory, which images/stagecraft-postgres limits. PostgreSQL's default is 8.
      max_worker_processes: String(Math.min(8, 2 + Math.floor(container / 1024))),
      // Disk, not memory: larger servers import more data, and checkpoints slow an import down.
      max_wal_size: megabytes(Math.max(1024, container * 2)),
    },
  };
}

function megabytes(count: number): string {
  return `${Math.floor(count)}MB`;
}
