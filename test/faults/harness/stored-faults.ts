import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Fault } from "./faults";
import { database } from "./judge";
import type { Result } from "./outcome";
import type { World } from "./world";

/** Bytes by which one run differs from the next. */
const jitter = 37;

/** Bytes are changed in what is stored, and put back afterwards. */
function stored(name: string, change: (bytes: Buffer, run: number) => Buffer): Fault {
  return {
    name,
    ours: async ({ ours }, run) => {
      const [file = ""] = ours.files;
      const whole = readFileSync(file);
      writeFileSync(file, change(whole, run));
      try {
        return await ours.checkStored();
      } finally {
        writeFileSync(file, whole);
      }
    },
    script: async ({ script }, run) => script.checkFile(change(script.file, run)),
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
  file?: (world: World) => Promise<Result>,
): Fault {
  return {
    name,
    ...(file && { script: file }),
    ours: async (world) => {
      const mend = change(world);
      try {
        return await world.ours.checkStored();
      } finally {
        mend();
      }
    },
  };
}

/** Rewrites one file of the folder; gives back what undoes it. */
function rewrite(file: string, contents: Buffer): () => void {
  const whole = readFileSync(file);
  writeFileSync(file, contents);
  return () => {
    writeFileSync(file, whole);
  };
}

/** What happens to backups that are stored. */
export const storedFaults: readonly Fault[] = [
  ...[0, 0.15, 0.5, 0.85, 0.99].map(flip),
  ...[0.1, 0.5, 0.99].map(cut),
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
  folder("a file removed", ({ ours }) => {
    const [largest = ""] = ours.files;
    const aside = join(ours.here, "aside");
    renameSync(largest, aside);
    return () => {
      renameSync(aside, largest);
    };
  }),
  folder("a file put in", ({ ours }) => {
    const more = join(ours.folder, "more.dat");
    writeFileSync(more, "more");
    return () => {
      rmSync(more);
    };
  }),
  folder("rows of another size in the manifest", ({ ours }) => {
    const manifest = join(ours.folder, "manifest.json");
    const text = readFileSync(manifest, "utf8").replace('"rows":20000', '"rows":10000');
    return rewrite(manifest, Buffer.from(text));
  }),
  folder(
    "another dump under its name",
    ({ ours }) => {
      const [largest = "", other = ""] = ours.files;
      return rewrite(largest, readFileSync(other));
    },
    async ({ server, script }) => {
      const dump = `pg_dump -U postgres -c -O -F p -t a ${database} | bzip2`;
      return script.checkFile(await server.output(["sh", "-c", dump]));
    },
  ),
  {
    name: "some bytes altered where it lies, seen a week later",
    ours: async ({ ours }, run) => ours.alterInPlace(1000 + run * jitter),
    script: async ({ script }, run) => {
      const copy = Buffer.from(script.file);
      copy.write("XXXX", 1000 + run * jitter);
      return script.checkFile(copy);
    },
  },
];
