const megabyte = 2 ** 20;

/** How a server's memory is shared out, in MB. */
export interface MemoryPlan {
  /** Limit of the container. */
  readonly container: number;
  /** `/dev/shm`, where parallel queries and index builds exchange rows. */
  readonly sharedMemory: number;
  /** PostgreSQL's parameters. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** Shares the memory of a server out: a quarter to PostgreSQL's cache, the rest to sessions and to the system's cache. */
export function planMemory(bytes: number): MemoryPlan {
  const container = Math.floor(bytes / megabyte);
  return {
    container,
    sharedMemory: Math.max(64, Math.floor(container / 4)),
    parameters: {
      shared_buffers: megabytes(container / 4),
      effective_cache_size: megabytes((container * 3) / 4),
      // So that a sort in each of the hundred connections would fit beside the cache three times.
      work_mem: megabytes(Math.max(4, container / 400)),
      maintenance_work_mem: megabytes(Math.min(1024, container / 16)),
      // Not memory but disk; larger servers take larger imports, and a checkpoint in the middle of one costs time.
      max_wal_size: megabytes(Math.max(1024, container * 2)),
    },
  };
}

function megabytes(count: number): string {
  return `${Math.floor(count)}MB`;
}
