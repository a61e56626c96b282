/**
 * The names of objects in a message of PostgreSQL: `relation "public.a"`, `function public.f(integer)`,
 * `operator does not exist: public.citext = text`.
 */
export function objectNamesIn(message: string): readonly string[] {
  const names = [...message.matchAll(/"((?:[^"]|"")+)"/g)].map(([, name = ""]) => name);
  const routine = /^(?:function|procedure|routine|aggregate) ([^("]+)\((.*)\) /.exec(message);
  if (routine) names.push(routine[1] ?? "", ...typesIn(routine[2]));
  names.push(...typesIn(/^operator does not exist: (.+)$/.exec(message)?.[1]));
  names.push(...typesIn(/^(?:data )?type (\S+) /.exec(message)?.[1]));
  const largeObject = /^large object \d+/.exec(message)?.[0];
  if (largeObject !== undefined) names.push(largeObject);
  return names.filter((name) => name !== "").map((name) => name.replace(/\[\]$/, ""));
}

/** Qualified types and operators in a list; unqualified ones are built into PostgreSQL. */
function typesIn(list: string | undefined): readonly string[] {
  const words = list?.match(/(?:"[^"]+"|[^\s,"])+/g) ?? [];
  return words.map((word) => word.replaceAll('"', "")).filter((word) => /.\../.test(word));
}
