import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseAllDocuments } from "yaml";
import { checkout } from "../files/checkout";

/** A command as a page or workflow shows it. */
export interface ShownCommand {
  /** Where, e.g. `docs/pg-hba.md`. */
  readonly file: string;
  /** The words, without what a shell makes of them. */
  readonly words: readonly string[];
}

/** The pages of the project that show commands. */
export const pages: readonly string[] = [
  ...["README.md", "CONTRIBUTING.md", "examples/timesheets/README.md"],
  ...readdirSync(join(checkout, "docs"))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];

/** The workflows of the project. */
export const workflows: readonly string[] = readdirSync(join(checkout, ".github/workflows")).map(
  (name) => `.github/workflows/${name}`,
);

export const read = (file: string): string => readFileSync(join(checkout, file), "utf8");

/** Commands of some programs in everything that is code on the pages, and in the steps of the workflows. */
export function shownCommands(...programs: readonly string[]): ShownCommand[] {
  const texts = [
    ...pages.map((file) => ({ file, code: codeOf(read(file)) })),
    ...workflows.map((file) => ({ file, code: scriptsOf(read(file)) })),
  ];
  return texts.flatMap(({ file, code }) =>
    code.flatMap(simpleCommands).flatMap((words) => {
      const begins = programs.some((program) => words.join(" ").startsWith(`${program} `));
      return begins ? [{ file, words }] : [];
    }),
  );
}

/** Lines of code blocks of a shell or of GitLab's pipelines, and what stands between backticks. */
export function codeOf(markdown: string): string[] {
  const blocks = [...markdown.matchAll(/^ *```(\w*)\n([^]*?)^ *```/gm)];
  const lines = blocks.flatMap(([, language = "", text = ""]) => {
    if (language === "yaml") return text.includes("script:") ? scriptsOf(text) : [];
    return ["sh", "bash", "console", ""].includes(language) ? text.split("\n") : [];
  });
  const rest = markdown.replace(/^ *```\w*\n[^]*?^ *```/gm, "");
  const inline = [...rest.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  return [...lines.map((line) => line.replace(/^\$ /, "")), ...inline];
}

/** What the steps of a workflow, or the jobs of a pipeline, run: every `run`, `script` and `before_script`. */
export function scriptsOf(yaml: string): string[] {
  const found: string[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      const runs = /^(?:run|script|before_script|after_script)$/.test(key);
      const scripts = Array.isArray(inner) ? (inner as unknown[]) : [inner];
      if (runs) for (const script of scripts) found.push(...String(script).split("\n"));
      else visit(inner);
    }
  };
  for (const document of parseAllDocuments(yaml)) {
    if (document.errors.length > 0) throw document.errors[0] as Error;
    visit(document.toJS());
  }
  return found;
}

/** The commands of one line: split at what joins them, without comments, redirections and placeholders' brackets. */
function simpleCommands(line: string): string[][] {
  const words = [...line.matchAll(/"(?:[^"\\]|\\.)*"|'[^']*'|<[\w|]+>|[^\s"']+/g)].map(
    ([word]) => word,
  );
  const commands: string[][] = [[]];
  for (const word of words) {
    if (word.startsWith("#")) break;
    if (/^(?:\||\|\||&&|;|>|>>|2>&1)$/.test(word)) commands.push([]);
    else if (word.endsWith(";")) {
      commands.at(-1)?.push(word.slice(0, -1));
      commands.push([]);
    } else commands.at(-1)?.push(word.replace(/^(["'])([^]*)\1$/, "$2"));
  }
  return commands.filter((command) => command.length > 0);
}
