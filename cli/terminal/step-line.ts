/** One line of a list of steps: mark, title, details. */
export function stepLine(mark: string, title: string, details: readonly string[]): string {
  const detail = details.filter((text) => text !== "").join(", ");
  return `${mark}${detail === "" ? title : `${title.padEnd(30)}  ${detail}`}`;
}
