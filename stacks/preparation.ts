import type { PrepareArgs } from "../components";
import { defuse } from "./defuse";
import { masks } from "./masks";
import type { StackSettings } from "./settings";

/**
 * What is done to contents before anybody may connect to them. Another server's backup is masked and defused; a dump that
 * a person hands over is theirs, and stays as it is.
 */
export const preparationOf = ({ data, database }: StackSettings): PrepareArgs => {
  const { keep } = database;
  return data.source.repository === undefined ? { keep } : { masks, defuse, keep };
};
