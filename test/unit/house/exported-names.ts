const declaration =
  /^export (?:declare |abstract |async )*(?:(?:const|let|function\*?|class|interface|type|enum) (\w+)|const (\{[^}]*\}|\[[^\]]*\]))/gm;

/**
 * Names that a formatted file declares and exports; names that it only passes on from another file are not among them.
 */
export function exportedNames(text: string): string[] {
  const names = [...text.matchAll(declaration)].flatMap(([, name, pattern = ""]) =>
    name === undefined ? boundNames(pattern) : [name],
  );
  return [...new Set(names)];
}

/** The names that `{ a, b: c, d = 1 }` or `[e]` binds. */
function boundNames(pattern: string): string[] {
  const elements = pattern.slice(1, -1).split(",");
  return elements.flatMap((element) => /(\w+)\s*(?:=.*)?$/.exec(element.trim())?.[1] ?? []);
}
