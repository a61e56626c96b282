import { open, readdir } from "node:fs/promises";
import { availableParallelism } from "node:os";
import path from "node:path";
import { AgentError } from "../../system/errors";
import { clientEnvironment, runWithStderrLines } from "../../postgres/client-programs";
import { forEachConcurrently } from "../../system/concurrency";

/** The most files that one call of a program tests. */
const filesAtOnce = 500;

/** Throws an {@link AgentError} when a tar archive lacks the two blocks of zeros that end every tar. */
export async function checkTar(file: string, name: string): Promise<void> {
  const end = await readTail(file, 1024);
  if (end.length === 1024 && end.every((byte) => byte === 0)) return;
  throw new AgentError(
    `${name} is damaged or cut short: it does not end as a tar does; copy or take it again`,
  );
}

/**
 * Throws an {@link AgentError} when a data file of a directory archive is cut short in a way that pg_restore does not
 * see: it takes the end of a file that is uncompressed, zstd or lz4 for the end of the rows.
 */
export async function checkDataFiles(folder: string, name: string): Promise<void> {
  const files = (await readdir(folder)).filter((file) => file !== "toc.dat");
  for (const file of files.filter((file) => /^\d+\.dat$/.test(file))) {
    if (!(await endsLikeRows(path.join(folder, file)))) throw cutShort(name, file);
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

/** Rows end with `\.` or, as INSERT statements, with a semicolon; pg_dump puts two empty lines behind either. */
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

/** How a program says whether files are whole; zstd goes from block to block for that, and unpacks none. */
const tests = { zstd: ["-l", "-q"], lz4: ["-t", "-q", "-m"] } as const;

async function testWith(
  program: keyof typeof tests,
  files: readonly string[],
  folder: string,
  name: string,
): Promise<void> {
  const processors = availableParallelism();
  // Of a few files for each call, so that one with the largest ends about when the others do.
  const share = Math.max(1, Math.min(filesAtOnce, Math.floor(files.length / (8 * processors))));
  const shares = Array.from({ length: Math.ceil(files.length / share) }, (_, i) =>
    files.slice(i * share, (i + 1) * share),
  );
  await forEachConcurrently(shares, processors, async (some) => {
    const said: string[] = [];
    const paths = some.map((file) => path.join(folder, file));
    const args = [...tests[program], "--", ...paths];
    const status = await runWithStderrLines(program, args, clientEnvironment(""), (line) =>
      said.push(line),
    );
    if (status === 0) return;
    const complaint = said.join("\n");
    throw cutShort(name, some.find((file) => complaint.includes(file)) ?? some[0] ?? "");
  });
}

function cutShort(name: string, file: string): AgentError {
  return new AgentError(
    `${name} is damaged or cut short: its file ${file} does not end as it should; copy or take it again`,
  );
}
