/** Databases up to this size are dumped or restored several at a time, larger ones each alone with all jobs. */
const smallBytes = 64 * 2 ** 20;

/** Which databases take their turn alone, and which several at a time: small ones take more time to begin than to do. */
export function takeTurns<T extends { readonly bytes: number }>(
  databases: readonly T[],
): { readonly alone: readonly T[]; readonly together: readonly T[] } {
  return {
    alone: databases.filter(({ bytes }) => bytes > smallBytes),
    together: databases.filter(({ bytes }) => bytes <= smallBytes),
  };
}
