import { open, readdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { AgentError } from "../../system/errors";
import { clientEnvironment, runWithStderrLines } from "../../postgres/client-programs";
import { forEachConcurrently } from "../../system/concurrency";

/** Most files tested by one call of a program. */
const filesAtOnce = 500;

/** Throws an {@link AgentError} when a tar archive lacks the two blocks of zeros that end every tar. */
export async function checkTar(file: string, name: string): Promise<void> {
  const end = await readTail(file, 1024);
  if (end.length === 1024 && end.every((byte) => byte === 0)) return;
  throw new AgentError(
    `${name} is damaged or truncated: the end of the tar is missing; copy or dump it again`,
  );
}

/**
 * Throws an {@link AgentError} when a data file of a directory archive is truncated. pg_restore does not detect this for
 * uncompressed, zstd and lz4 files: it takes the end of the file for the end of the rows.
 */
export async function checkDataFiles(folder: string, name: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file !== "toc.dat");
  for (const file of files.filter((file) => /^\d+\.dat$/.test(file))) {
    if (!(await endsLikeRows(path.join(folder, file)))) throw truncated(name, file);
  }
  await testWith(
    "zstd",
    files.filter((file) => file.endsWith(".zst")),
    folder,
    name,
  );
  await testWith(
    "lz4",
    files.filter((file) => file.endsWith(".lz4")),
    folder,
    name,
  );
}

/** Rows end with `\.`, INSERT statements with a semicolon; pg_dump writes two empty lines after either. */
async function endsLikeRows(file: string): Promise<boolean> {
  const end = await readTail(file, 5);
  return /(?:\\\.|;)\n{3}$|^\n\n$/.test(end.toString("latin1"));
}

async function readTail(file: string, length: number): Promise<Buffer> {
  const handle = await open(file, "r");
  try {
    const { size } = await handle.stat();
    const tail = Buffer.alloc(Math.min(size, length));
    await handle.read(tail, 0, tail.length, size - tail.length);
    return tail;
  } finally {
    await handle.close();
  }
}

/** Options to test whether files are complete; `zstd -l` reads only the block headers. */
const tests = { zstd: ["-l", "-q"], lz4: ["-t", "-q", "-m"] } as const;

async function testWith(
  program: keyof typeof tests,
  files: readonly string[],
  folder: string,
  name: string,
): Promise<void> {
  const processors = availableParallelism();
  // Several calls for each processor, so that the one with the largest file does not run much longer than the others.
  const share = Math.max(1, Math.min(filesAtOnce, Math.floor(files.length / (8 * processors))));
  const shares = Array.from({ length: Math.ceil(files.length / share) }, (_, i) =>
    files.slice(i * share, (i + 1) * share),
  );
  await forEachConcurrently(shares, processors, async (batch) => {
    const stderr: string[] = [];
    const paths = batch.map((file) => path.join(folder, file));
    const args = [...tests[program], "--", ...paths];
    const status = await runWithStderrLines(program, args, clientEnvironment(), (line) =>
      stderr.push(line),
    );
    if (status === 0) return;
    const message = stderr.join("\n");
    throw truncated(name, batch.find((file) => message.includes(file)) ?? batch[0] ?? "");
  });
}

function truncated(name: string, file: string): AgentError {
  return new AgentError(
    `${name} is damaged or truncated: its file ${file} is incomplete; copy or dump it again`,
  );
}
