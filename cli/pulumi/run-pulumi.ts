import { execa } from "execa";
import { pulumiEnvironment } from "../../tools";

/** Result of a finished Pulumi command. */
export interface PulumiRun {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs Pulumi in the project folder, non-interactively. */
export async function runPulumi(
  folder: string,
  args: readonly string[],
  input?: string,
): Promise<PulumiRun> {
  const { exitCode, stdout, stderr } = await spawnPulumi(folder, args, input);
  return { exitCode: exitCode ?? 1, stdout, stderr };
}

/** Starts Pulumi in the project folder; `input` is its stdin. */
export function spawnPulumi(folder: string, args: readonly string[], input?: string) {
  return execa("pulumi", [...args, "--non-interactive", "--color", "never"], {
    cwd: folder,
    env: pulumiEnvironment(folder),
    reject: false,
    ...(input === undefined ? { stdin: "ignore" as const } : { input }),
    // Ctrl-C on the terminal reaches Pulumi itself, which then needs time to leave a consistent state.
    cleanup: false,
    maxBuffer: 256 * 1024 * 1024,
  });
}
