/**
 * Counts the rows in the VALUES of an INSERT by its words and parentheses: `INSERT INTO a VALUES (1), (2)` has two. How many
 * rows a query yields, or ON CONFLICT leaves, is not in the text.
 */
export class InsertedValues {
  #state: "before" | "values" | "after" | "unknown" = "before";
  #rows = 0;
  #last = "";

  /** The number of rows; `undefined` when it cannot be known from the text. */
  get rows(): number | undefined {
    return this.#state === "values" || this.#state === "after" ? this.#rows : undefined;
  }

  /** Adds the next word outside of parentheses, in lower case. */
  addWord(word: string): void {
    if (this.#state === "before") {
      if (word === "values") {
        this.#state = "values";
        if (this.#last === "default") this.#rows = 1;
      } else if (word === "select") this.#state = "unknown";
    } else if (this.#state === "values") {
      this.#state = word === "returning" ? "after" : "unknown";
    }
    this.#last = word;
  }

  /** Call it for each parenthesis that opens outside of others. */
  openParenthesis(): void {
    if (this.#state === "values") this.#rows++;
  }
}
