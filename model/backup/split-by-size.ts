/** Maximum size in bytes of a small database. */
const smallBytes = 64 * 2 ** 20;

/** Splits databases by size: large ones are processed one at a time with all jobs, small ones concurrently, because starting takes longer than the work. */
export function splitBySize<T extends { readonly bytes: number }>(
  databases: readonly T[],
): { readonly large: readonly T[]; readonly small: readonly T[] } {
  return {
    large: databases.filter(({ bytes }) => bytes > smallBytes),
    small: databases.filter(({ bytes }) => bytes <= smallBytes),
  };
}
