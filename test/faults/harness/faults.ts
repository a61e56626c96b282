import { attemptFaults } from "./attempt-faults";
import type { Result } from "./outcome";
import { holdingFaults } from "./holding-faults";
import { placeFaults } from "./place-faults";
import { storedFaults } from "./stored-faults";
import { targetFaults } from "./target-faults";
import { timeFaults } from "./time-faults";
import type { World } from "./world";

/** Something that goes wrong, done to us and to the former script. `run` counts from 0: each time a little different. */
export interface Fault {
  readonly name: string;
  readonly ours: (world: World, run: number) => Promise<Result>;
  /** Absent where the script, which has one file and no schedule, has nothing that the same could be done to. */
  readonly script?: (world: World, run: number) => Promise<Result>;
  /** How often it is tried. @default 3 times */
  readonly runs?: number;
}

/** Everything that goes wrong, in groups that are tried beside each other, each on a server of its own. */
export const faultGroups: Readonly<Record<string, readonly Fault[]>> = {
  "what happens": [
    ...storedFaults,
    ...attemptFaults,
    ...placeFaults,
    ...targetFaults,
    ...timeFaults,
  ],
  "what is held": holdingFaults,
};
