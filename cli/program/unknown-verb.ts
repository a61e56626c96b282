import type { Command } from "commander";
import { editDistance } from "../../model/base/nearest";

/** Verbs that change nothing. */
const readingVerbs: ReadonlySet<string> = new Set([
  ...["status", "backups", "password", "ca", "access", "upgrades", "log", "doctor", "help"],
]);

/**
 * Ends the program with an error if its arguments name an unknown verb, also with `--help` or after `help`; commander would
 * print the general help and succeed.
 */
export function rejectUnknownVerb(program: Command, args: readonly string[]): void {
  const end = args.indexOf("--");
  const words = (end < 0 ? args : args.slice(0, end)).filter((word) => !word.startsWith("-"));
  const [first] = words;
  if (first === undefined) return;
  const [word, parent] = first === "help" ? unknownIn(program, words.slice(1)) : [first, program];
  if (word === undefined || findVerb(parent, word)) return;
  program.error(`error: unknown command '${word}'${suggestion(parent, word)}`, {
    code: "commander.unknownCommand",
  });
}

/** The first word of a path of verbs that is no verb below the ones before it. */
function unknownIn(program: Command, path: readonly string[]): [string | undefined, Command] {
  let parent = program;
  for (const word of path) {
    const found = findVerb(parent, word);
    if (!found) return [word, parent];
    parent = found;
  }
  return [undefined, parent];
}

/** The verb of a name or an alias. */
export function findVerb(parent: Command, word: string): Command | undefined {
  return parent.commands.find((verb) => verb.name() === word || verb.aliases().includes(word));
}

/** The names closest to a mistyped one. A verb that changes something is only offered when no verb that reads is about as close. */
function suggestion(parent: Command, word: string): string {
  const visible = parent.createHelp().visibleCommands(parent);
  const near = visible
    .map((verb) => ({ name: verb.name(), distance: editDistance(word, verb.name()) }))
    .filter(({ name, distance }) => {
      const length = Math.max(word.length, name.length);
      return distance <= 3 && (length - distance) / length > 0.4;
    });
  const closest = (of: typeof near): number => Math.min(...of.map(({ distance }) => distance));
  const reading = near.filter(({ name }) => readingVerbs.has(name));
  const isReading = closest(reading) <= closest(near) + 1;
  const candidates = isReading && reading.length > 0 ? reading : near;
  const names = candidates
    .filter(({ distance }) => distance === closest(candidates))
    .map(({ name }) => name)
    .sort();
  if (names.length === 0) return "";
  return names.length === 1
    ? `\n(Did you mean ${names.join()}?)`
    : `\n(Did you mean one of ${names.join(", ")}?)`;
}
