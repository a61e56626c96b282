/** A wording that the project avoids, as `discouraged-words.json` lists it. */
export interface WordRule {
  /** A regular expression; case does not count. */
  readonly words: string;
  /** What to write instead. */
  readonly use: string;
}

/** A discouraged wording that is right in some files: `allowances.json`. */
export interface Allowance {
  /** A regular expression that the whole path matches. */
  readonly files: string;
  /** The wording as found, in lower case. */
  readonly word: string;
  readonly reason: string;
}

/** A place where a file has a discouraged wording. */
export interface Hit {
  readonly path: string;
  readonly line: number;
  /** The wording as found, in lower case. */
  readonly word: string;
  readonly use: string;
}

/** A line with the parts of its camelCase identifiers as words. */
const splitIdentifiers = (line: string): string => line.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ");

/** The discouraged wordings of a text, each once per line and rule. */
export function findHits(path: string, text: string, rules: readonly WordRule[]): Hit[] {
  const compiled = rules.map(({ words, use }) => ({ pattern: new RegExp(words, "gi"), use }));
  return text.split("\n").flatMap((line, index) =>
    compiled.flatMap(({ pattern, use }) => {
      const forms = [splitIdentifiers(line), line];
      const found = forms.flatMap((form) => [...form.matchAll(pattern)].map(([word]) => word));
      const words = new Set(found.map((word) => word.toLowerCase()));
      return [...words].map((word) => ({ path, line: index + 1, word, use }));
    }),
  );
}

/** Whether an allowance covers a hit. */
export const covers = ({ files, word }: Allowance, hit: Hit): boolean =>
  word === hit.word && new RegExp(`^(?:${files})$`).test(hit.path);
