import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../support/backup";
import { pidsOf, type Outcome, type World } from "./world";

/** Something that goes wrong, done to us and to the former script. `run` counts from 0: each time a little different. */
export interface Fault {
  readonly name: string;
  readonly ours: (world: World, run: number) => Promise<Outcome>;
  /** Absent where the script, which has one file and no manifest, has nothing that the same could be done to. */
  readonly script?: (world: World, run: number) => Promise<Outcome>;
}

/** Milliseconds, or bytes, by which one run differs from the next. */
const jitter = 37;

/** Faults of what is stored: bytes are changed, and put back afterwards. */
function stored(name: string, change: (bytes: Buffer, run: number) => Buffer): Fault {
  return {
    name,
    ours: async (world, run) => {
      const file = world.files.largest;
      const whole = world.read(file);
      writeFileSync(file, change(whole, run));
      try {
        return await world.checkStored();
      } finally {
        writeFileSync(file, whole);
      }
    },
    script: async (world, run) => world.checkFile(change(world.file, run)),
  };
}

const at = (bytes: Buffer, share: number, run: number): number =>
  Math.min(bytes.length - 1, Math.floor(bytes.length * share) + run * jitter);

function flip(share: number): Fault {
  return stored(`a byte flipped at ${share * 100} %`, (bytes, run) => {
    const copy = Buffer.from(bytes);
    const position = at(bytes, share, run);
    copy[position] = (bytes[position] ?? 0) ^ (1 << run);
    return copy;
  });
}

function cut(share: number): Fault {
  return stored(`a file cut at ${share * 100} %`, (bytes, run) =>
    bytes.subarray(0, at(bytes, share, run)),
  );
}

/** Something is done to the backup's folder; the script has one file, and `file` says what becomes of it. */
function folder(
  name: string,
  change: (world: World) => () => void,
  file?: (world: World) => Promise<Outcome>,
): Fault {
  return {
    name,
    ...(file && { script: file }),
    ours: async (world) => {
      const mend = change(world);
      try {
        return await world.checkStored();
      } finally {
        mend();
      }
    },
  };
}

/** Rewrites one file of the folder; gives back what undoes it. */
function rewrite(file: string, contents: Buffer, world: World): () => void {
  const whole = world.read(file);
  writeFileSync(file, contents);
  return () => {
    writeFileSync(file, whole);
  };
}

const storedFaults: Fault[] = [
  ...[0, 0.15, 0.3, 0.5, 0.7, 0.85, 0.99].map(flip),
  ...[0.1, 0.5, 0.9, 0.99].map(cut),
  stored("a file emptied", () => Buffer.alloc(0)),
  stored("bytes added behind the end", (bytes) => Buffer.concat([bytes, Buffer.from("more")])),
  stored("zeros over a block", (bytes, run) => {
    const start = at(bytes, 0.4, run);
    return Buffer.concat([
      bytes.subarray(0, start),
      Buffer.alloc(4096),
      bytes.subarray(start + 4096),
    ]);
  }),
  stored("two blocks exchanged", (bytes, run) => {
    const [a, b] = [at(bytes, 0.2, run), at(bytes, 0.6, run)];
    const copy = Buffer.from(bytes);
    bytes.copy(copy, a, b, b + 512);
    bytes.copy(copy, b, a, a + 512);
    return copy;
  }),
  folder("a file removed", (world) => {
    const { largest } = world.files;
    renameSync(largest, join(world.here, "aside"));
    return () => {
      renameSync(join(world.here, "aside"), largest);
    };
  }),
  folder("a file put in", (world) => {
    const more = join(world.here, world.good, "more.dat");
    writeFileSync(more, "more");
    return () => {
      rmSync(more);
    };
  }),
  folder("rows of another size in the manifest", (world) => {
    const manifest = join(world.here, world.good, "manifest.json");
    const text = world.read(manifest).toString("utf8").replace('"rows":60000', '"rows":50000');
    return rewrite(manifest, Buffer.from(text), world);
  }),
  folder(
    "another dump under its name",
    (world) => rewrite(world.files.largest, world.read(world.files.all[1] ?? ""), world),
    async (world) => {
      const other = await world.server.output([
        ...["sh", "-c", "pg_dump -U postgres -c -O -F p -t a shop | bzip2"],
      ]);
      return world.checkFile(other);
    },
  ),
];

const kill = (program: string): string => `kill -9 $(${pidsOf(program)})`;
const terminate = (who: string): string =>
  `psql -U postgres -qc "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE ${who} AND pid <> pg_backend_pid()"`;
const drop = 'psql -U postgres -qc "DROP DATABASE shop WITH (FORCE)"';

/** A fault at a moment of the backup; the script's is at the same share of its time, which is longer. */
function during(name: string, delay: number, ours: string, script: string, mend = false): Fault {
  const mended = async (world: World, outcome: Outcome): Promise<Outcome> => {
    if (mend) await world.makeShop();
    return outcome;
  };
  return {
    name: `${name}, ${delay} ms into it`,
    ours: async (world, run) => mended(world, await world.backUp(ours, delay + run * jitter)),
    script: async (world, run) =>
      mended(world, await world.runScript(script, 150 + delay + run * jitter)),
  };
}

const backupFaults: Fault[] = [
  ...[0, 60, 120, 200, 300].map((delay) =>
    during("the program killed", delay, "kill -9 $pid", kill("pg_dump")),
  ),
  ...[0, 60, 120, 200].map((delay) =>
    during("pg_dump killed", delay, kill("pg_dump"), kill("pg_dump")),
  ),
  ...[0, 100, 200].map((delay) =>
    during("the packer killed", delay, kill("pg_dump"), kill("bzip2")),
  ),
  ...[0, 60, 120, 200].map((delay) =>
    during(
      "the connection cut",
      delay,
      terminate("application_name IN ('pg_dump', 'stagecraft-agent')"),
      terminate("application_name = 'pg_dump'"),
    ),
  ),
  ...[0, 80, 160].map((delay) => during("the database dropped", delay, drop, drop, true)),
];

const fill = `free=$(df --output=avail -B1 ${repository} | tail -1); head -c $((free - KEEP)) /dev/zero >${repository}/filler`;
const empty = `rm -f ${repository}/filler`;

/** Somebody keeps a table for himself for three seconds. */
const lock =
  'psql -U postgres -d shop -qc "BEGIN; LOCK TABLE z; SELECT pg_sleep(3)" >/dev/null 2>&1 & sleep 0.3';

const placeFaults: Fault[] = [
  ...[0, 100_000, 500_000].map((keep): Fault => {
    const before = fill.replace("KEEP", String(keep));
    const freed = async (world: World, outcome: Outcome): Promise<Outcome> => {
      await world.server.run(["sh", "-c", empty]);
      return outcome;
    };
    return {
      name: `the disk full but for ${keep / 1000} kB`,
      ours: async (world) => freed(world, await world.backUp("true", 0, { before })),
      script: async (world) => freed(world, await world.runScript("true", 0, { before })),
    };
  }),
  {
    name: "a table locked for longer than the limit",
    ours: async (world) => world.backUp("true", 0, { job: "impatient", before: lock }),
    script: async (world) => world.runScript("true", 0, { before: lock }),
  },
  {
    name: "the backups' folder missing",
    ours: async (world) => world.backUp("true", 0, { environment: "STAGECRAFT_BACKUPS=/nowhere" }),
    script: async (world) => {
      const { status } = await world.server.run([
        ...["sh", "-c", "pg_dump -U postgres shop | bzip2 >/nowhere/script.sql.bz2"],
      ]);
      return status === 0 ? "UNDETECTED" : "told";
    },
  },
];

/** Everything that goes wrong. */
export const faults: readonly Fault[] = [...storedFaults, ...backupFaults, ...placeFaults];
