/**
 * Does the same to several things, so many at a time, in their order. Once one has failed no further one is begun; what
 * has begun comes to its end, and then this raises what the first one raised.
 */
export async function forEachConcurrently<T>(
  things: readonly T[],
  atATime: number,
  work: (thing: T) => Promise<void>,
): Promise<void> {
  const queue = things.values();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    for (const thing of queue) {
      await work(thing).catch((error: unknown) => failures.push(error));
      if (failures.length > 0) return;
    }
  };
  await Promise.all(Array.from({ length: Math.min(atATime, things.length) }, worker));
  if (failures.length > 0) throw failures[0];
}
