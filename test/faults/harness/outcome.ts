import type { Holding } from "./judge";

/** What became of one attempt. `UNDETECTED`: a bad result that nobody is told of; `bad file`: told, but left under a final name. */
export type Outcome = "whole" | "told" | "bad file" | "UNDETECTED";

/** What became of one attempt, and of the good backups that were there before it. */
export interface Result {
  readonly outcome: Outcome;
  /** Backups known to be good that are gone or altered, though they are among the newest that retention has to keep. */
  readonly deleted: number;
}

/** What happens to an attempt. Shell is run where the attempt is made. */
export interface Act {
  /** What is backed up, instead of the usual database. */
  readonly holding?: Holding;
  /** Before it begins. */
  readonly before?: string;
  /** While it goes on; `$pid` is its process. */
  readonly meanwhile?: string;
  /** When, as a share of the time that an attempt usually takes. */
  readonly at?: number;
  /** When it has been made, before anybody looks at what it is. */
  readonly made?: string;
  /** When it has ended; of all that is still there nothing is removed before. */
  readonly after?: string;
  /** How many attempts begin at the same time. */
  readonly times?: number;
  /** Days by which the clock is wrong, from when on. */
  readonly clock?: { readonly days: number; readonly from: "before" | "meanwhile" };
  /** Where it is copied to afterwards. */
  readonly place?: Place;
}

/** Nothing happens to it. */
export const undisturbed: Act = {};

/** A time that does not exist on one day of some zone, and moments before and after the clocks go forward there. */
export interface Gap {
  readonly schedule: string;
  readonly timeZone: string;
  readonly before: Date;
  readonly after: Date;
}

/** A user of the machine away, or one that is not to be reached there. */
export interface Place {
  readonly user: string;
  readonly port?: string;
  /** Made ready there. */
  readonly before?: string;
  /** Why we say that no copy is there: otherwise something else has happened than was meant to. */
  readonly cause: RegExp;
}

/** What there is after an attempt, judged by a restore. */
export interface Found {
  /** Whether what made it, or the usual look at it, told of a failure. */
  readonly isTold: boolean;
  /** Of everything under a final name, whether it restores to what was there when it was made. */
  readonly whole: readonly boolean[];
  /** How many there should be. */
  readonly wanted: number;
}

/** Says what became of an attempt; the same for whoever made it. */
export function outcomeOf({ isTold, whole, wanted }: Found): Outcome {
  if (whole.includes(false)) return isTold ? "bad file" : "UNDETECTED";
  if (isTold) return "told";
  return whole.length < wanted ? "UNDETECTED" : "whole";
}
