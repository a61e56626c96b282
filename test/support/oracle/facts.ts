import { readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { checkout } from "../files/checkout";
import type { TestServer } from "../servers/server";

/** What is true of a database: `"table app.a: options"`, and what it is. */
export type Facts = ReadonlyMap<string, string>;

/** A fact that two databases do not share; `undefined` where one of them has none. */
export interface Difference {
  readonly fact: string;
  readonly theirs: string | undefined;
  readonly ours: string | undefined;
}

const line = z.tuple([z.string(), z.string(), z.string().nullable()]);

/** Reads all facts of a database with the catalogue's queries. */
export async function readFacts(server: TestServer, database: string): Promise<Facts> {
  const sql = readFileSync(join(checkout, "test/support/oracle/catalogue.sql"), "utf8");
  const facts = new Map<string, string>();
  for (const text of (await server.sql(database, sql)).split("\n")) {
    const [object, fact, value] = line.parse(JSON.parse(text));
    const key = `${object}: ${fact}`;
    const before = facts.get(key);
    facts.set(key, before === undefined ? (value ?? "") : `${before}\n${value ?? ""}`);
  }
  return facts;
}

/** The facts that differ, in the order of their names. */
export function differences(theirs: Facts, ours: Facts): Difference[] {
  const names = [...new Set([...theirs.keys(), ...ours.keys()])].sort();
  return names
    .map((fact) => ({ fact, theirs: theirs.get(fact), ours: ours.get(fact) }))
    .filter((each) => each.theirs !== each.ours);
}
