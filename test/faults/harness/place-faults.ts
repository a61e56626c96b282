import type { Fault } from "./faults";
import type { WrongKey } from "./our-schedule";
import type { Place } from "./outcome";

/** What is copied away after it was made, and does not arrive there. */
function fault(name: string, placeOf: (run: number) => Place): Fault {
  return {
    name: `off-site: ${name}`,
    ours: async ({ ours }, run) => ours.attempt({ place: placeOf(run) }),
    script: async ({ script }, run) => script.attempt({ place: placeOf(run) }),
  };
}

const wrongKeys: readonly WrongKey[] = ["another", "none", "half"];

/** Bytes a second in each run: soon there, later, and not within the limit. */
const speeds = [400_000, 200_000, 5_000];

/** What happens to copies on their way, and to who wants one back. */
export const placeFaults: readonly Fault[] = [
  fault("nothing answers there", () => ({
    ...{ user: "writer", port: "23", cause: /connection refused; start the service/ },
  })),
  fault("it takes the connection and is silent", () => ({
    user: "silent",
    cause: /no response|the connection was lost/,
  })),
  fault("it is slow", (run) => ({
    ...{ user: "slow", cause: run < 2 ? /copied off-site/ : /timed out after 20 s/ },
    before: `echo ${speeds[run]} >/home/slow/speed`,
  })),
  fault("the key is not let in", () => ({
    user: "stranger",
    cause: /authentication failed; correct user/,
  })),
  fault("the place is read-only", () => ({
    user: "reader",
    cause: /access denied; grant read and write/,
  })),
  fault("the place's disk is read-only", () => ({ user: "sealed", cause: /full or read-only/ })),
  fault("the place is full but for some", (run) => ({
    ...{ user: "crowded", cause: /full or read-only/ },
    before: `head -c ${1_500_000 + run * 100_000} /dev/zero >/full/filler`,
  })),
  fault("the upload is cut", (run) => ({
    ...{ user: "cut", cause: /the connection was lost/ },
    before: `echo ${60_000 + run * 100_000} >/home/cut/limit`,
  })),
  fault("something else is kept than was sent", () => ({
    user: "rots",
    cause: /the copy differs from what was sent/,
  })),
  {
    name: "off-site: a copy is wanted back, and its key is missing or another one",
    // What the script copies is not encrypted.
    ours: async ({ ours }, run) => ours.fetchWith(wrongKeys[run] as WrongKey),
  },
];
