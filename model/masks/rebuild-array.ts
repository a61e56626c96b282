/** Largest number of dimensions that PostgreSQL's arrays have. PostgreSQL's source: `MAXDIM`. */
const maxDimensions = 6;

/** SQL expressions of an array whose elements are replaced. */
export interface ArrayParts {
  /** The original array. */
  readonly array: string;
  /** The new value of an element. */
  readonly value: string;
  /** Position of an element, from 1, in the order in which `unnest` returns them. */
  readonly order: string;
  /** The source of elements, for FROM. */
  readonly items: string;
}

/**
 * SQL expression for an array of new elements with the dimensions and lower bounds of the original one. PostgreSQL has no
 * function for that but the notation of arrays (manual, 8.15.6): `[2:3][1:2]={{"a","b"},{"c","d"}}`.
 */
export function rebuildArray({ array, value, order, items }: ArrayParts, typeName: string): string {
  const simple = `ARRAY(SELECT ${value} FROM ${items} ORDER BY ${order})`;
  const braces = (brace: string, position: string): string =>
    Array.from({ length: maxDimensions }, (_, i) => {
      const isAtEdge = `array_ndims(${array}) > ${i} AND ${position} % (${elementsPer(array, i + 1)}) = 0`;
      return `CASE WHEN ${isAtEdge} THEN '${brace}' ELSE '' END`;
    }).join(" || ");
  const text = `CASE WHEN ${value} IS NULL THEN 'NULL' ELSE '"' || ${escaped(`${value}::text`)} || '"' END`;
  const element = `${braces("{", `(${order} - 1)`)} || ${text} || ${braces("}", order)}`;
  const notation = `(SELECT array_dims(${array}) || '=' || string_agg(${element}, ',' ORDER BY ${order}) FROM ${items})`;
  return `CASE WHEN ${array} IS NULL THEN NULL WHEN array_ndims(${array}) IS NULL OR array_ndims(${array}) = 1 AND array_lower(${array}, 1) = 1 THEN (${simple})::${typeName} ELSE ${notation}::${typeName} END`;
}

/** Number of elements in one item of a dimension. */
function elementsPer(array: string, dimension: number): string {
  const lengths: string[] = [];
  for (let i = dimension; i <= maxDimensions; i++)
    lengths.push(`coalesce(array_length(${array}, ${i}), 1)`);
  return lengths.join(" * ");
}

/** Escapes quotes and backslashes; without constants with backslashes, whose meaning depends on a parameter. */
function escaped(text: string): string {
  return `replace(replace(${text}, chr(92), chr(92) || chr(92)), '"', chr(92) || '"')`;
}
