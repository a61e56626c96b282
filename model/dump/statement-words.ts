import { InsertedValues } from "./inserted-values";

/** Tracks the words of a statement to detect whether it is within a `BEGIN ATOMIC … END` body, and what an INSERT inserts. */
export class StatementWords {
  readonly #firsts: string[] = [];
  #last = "";
  /** Number of open blocks: the body, and each CASE in it. */
  #depth = 0;
  #values: InsertedValues | undefined;

  /** The first word. */
  get first(): string | undefined {
    return this.#firsts[0];
  }

  /** The number of rows in the VALUES of an INSERT; `undefined` for others. */
  get insertedRows(): number | undefined {
    return this.#values?.rows;
  }

  /** Whether further words matter. @param parentheses number of open parentheses */
  needsMore(parentheses: number): boolean {
    if (this.#firsts.length < 4) return true;
    return this.#values ? parentheses === 0 : this.#createsRoutine();
  }

  /** Call it for each parenthesis that opens outside of others. */
  openParenthesis(): void {
    this.#values?.openParenthesis();
  }

  /** True between BEGIN ATOMIC and END of an SQL-standard function body, where semicolons do not end the statement. */
  get inBody(): boolean {
    return this.#depth > 0;
  }

  /** Adds the next word, in lower case. @param parentheses number of open parentheses */
  add(word: string, parentheses: number): void {
    if (this.#firsts.length === 0 && word === "insert") this.#values = new InsertedValues();
    if (parentheses === 0) this.#values?.addWord(word);
    if (this.#firsts.length < 4) this.#firsts.push(word);
    if (parentheses === 0 && this.#createsRoutine()) {
      if (this.#depth === 0) {
        if (word === "atomic" && this.#last === "begin") this.#depth = 1;
      } else if (word === "case") this.#depth++;
      else if (word === "end") this.#depth--;
    }
    this.#last = word;
  }

  #createsRoutine(): boolean {
    const [create, second, third, fourth] = this.#firsts;
    const object = second === "or" && third === "replace" ? fourth : second;
    return create === "create" && (object === "function" || object === "procedure");
  }
}
