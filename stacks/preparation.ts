import type { PrepareArgs } from "../components";
import { defuse } from "./defuse";
import { masks } from "./masks";
import type { StackSettings } from "../program/load-settings";

/**
 * What is done to contents before anybody may connect to them. Another server's backup is masked and defused; a dump that
 * a person hands over is theirs, and stays as it is.
 */
export const preparationOf = ({ data, database, upgrades }: StackSettings): PrepareArgs => {
  const always = { upgrades, keep: database.keep };
  return data.source.repository === undefined ? always : { ...always, masks, defuse };
};
