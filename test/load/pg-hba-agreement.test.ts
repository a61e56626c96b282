import { beforeAll, describe, expect, test } from "vitest";
import type { Answer } from "../../agent/server/pg-hba/startup-messages";
import { whoCan, type Decision } from "../../model/pg-hba/rule/evaluate";
import { parsePgHba } from "../../model/pg-hba/text/parse";
import { type LocatedRule } from "../../model/pg-hba/text/pg-hba-file";
import { renderPgHba } from "../../model/pg-hba/text/render";
import { sampleCases } from "../support/pg-hba/sample-cases";
import { memberships, rolesSql } from "../support/pg-hba/roles";
import {
  hostNames,
  runHbaCases,
  type HbaAnswer,
  type HbaCase,
  type HbaRow,
  type HbaRun,
  type HbaTry,
} from "../support/pg-hba/run-cases";

/** Another seed gives other rules and connections. */
const seed = Number(process.env["STAGECRAFT_HBA_SEED"] ?? 20261122);
const count = Number(process.env["STAGECRAFT_HBA_FILES"] ?? 150);
const cases = sampleCases(seed, count, 22);

const main = "pg_hba.conf";
const parsed = cases.map(({ files }) => parse(files));
const rendered = parsed.map(({ rules }) => ({
  files: { [main]: renderPgHba(rules) },
  tries: [],
}));

let run: HbaRun;
beforeAll(async () => {
  run = await runHbaCases({ setup: rolesSql, cases: [...cases, ...rendered] });
});

function parse(files: HbaCase["files"]) {
  return parsePgHba(files[main] ?? "", {
    name: main,
    readInclude: (path) => files[path],
    listFolder: (folder) =>
      Object.keys(files)
        .filter((path) => path.startsWith(`${folder}/`))
        .map((path) => path.slice(folder.length + 1)),
  });
}

/** `pg_hba.conf:3` for each line that PostgreSQL, or the model, refuses. */
const refusedBy = {
  postgres: (index: number): string[] => {
    const { rows = [] } = run.outcomes[index] ?? {};
    // It refuses a file without rules, and no line of it in particular.
    if (rows.length === 0) return [`${main}:1`];
    return places(
      rows
        .filter(({ error }) => error !== null)
        .map(({ file_name, line_number }) => `${relative(file_name)}:${line_number}`),
    );
  },
  model: (index: number): string[] => {
    const errors = parsed[index]?.problems.filter(({ severity }) => severity === "error") ?? [];
    return places(errors.map(({ file, line }) => `${file}:${line}`));
  },
};

/** Each place once: a file may be included twice. */
const places = (all: readonly string[]): string[] => [...new Set(all)];

function relative(file: string): string {
  return file.replace("/tmp/hba/data/", "");
}

/** What the model says that PostgreSQL does, in the words of {@link told}. */
function expected(decision: Decision<LocatedRule>, attempt: HbaTry): string {
  if (decision.decision === "implicit reject") return "no pg_hba.conf entry";
  const { rule, method } = decision;
  const place = `${rule.file}:${rule.line}`;
  if (rule.options?.["clientcert"] !== undefined || method === "cert") {
    return "connection requires a valid client certificate";
  }
  switch (method) {
    case "trust":
      return `let in by ${place}`;
    case "reject":
      return "pg_hba.conf rejects";
    case "peer":
      return attempt.user === "postgres" && rule.options?.["map"] === undefined
        ? `let in by ${place}`
        : `Peer authentication failed by ${place}`;
    case "ident":
      return `Ident authentication failed by ${place}`;
    case "ldap":
    case "password":
      return "asked for password";
    // The roles have no passwords, which PostgreSQL does not betray: it asks as for a new one.
    case "md5":
    case "scram-sha-256":
      return "asked for scram-sha-256";
    case "gss":
      return `asked for gss by ${place}`;
    case "bsd":
    case "oauth":
    case "pam":
    case "radius":
    case "sspi":
      throw new Error(`no case has ${method}`);
  }
}

const refusals =
  /^(no pg_hba\.conf entry|pg_hba\.conf rejects|connection requires a valid client certificate|(?:Peer|Ident) authentication failed)/;

/** What PostgreSQL did. */
function told({ answer, decidedBy }: HbaAnswer): string {
  const by = decidedBy === undefined ? "" : ` by ${decidedBy}`;
  return words(answer) + by;
}

function words(answer: Answer): string {
  switch (answer.kind) {
    case "accepted":
      return "let in";
    case "authentication requested":
      return `asked for ${answer.request}`;
    case "rejected":
      return refusals.exec(answer.error.message)?.[0] ?? answer.error.message;
    case "no TLS":
      return "no TLS";
  }
}

/** A row of `pg_hba_file_rules` without its place. */
function contents({
  type,
  database,
  user_name,
  address,
  netmask,
  auth_method,
  options,
  error,
}: HbaRow) {
  return { type, database, user_name, address, netmask, auth_method, options, error };
}

describe(`the evaluator and PostgreSQL agree (seed ${seed})`, () => {
  test("on which lines are refused", () => {
    const disagreements = cases.flatMap(({ files }, index) => {
      const [postgres, model] = [refusedBy.postgres(index), refusedBy.model(index)];
      return postgres.join() === model.join() ? [] : [{ files, postgres, model, index }];
    });
    expect(disagreements.slice(0, 3)).toEqual([]);
  });

  test("on the rule that decides, for 2,000 connections and more", () => {
    const seen: string[] = [];
    const disagreements: unknown[] = [];
    const server = {
      interfaces: run.interfaces,
      hostNames: { ...hostNames, "127.0.0.1": "localhost", "::1": "localhost" },
      memberships,
    };
    for (const [index, { files, tries }] of cases.entries()) {
      const { rules = [] } = parsed[index] ?? {};
      if (refusedBy.postgres(index).length > 0) continue;
      for (const [at, attempt] of tries.entries()) {
        const answer = run.outcomes[index]?.answers[at];
        if (!answer) throw new Error("an answer is missing");
        const [postgres, model] = [told(answer), expected(whoCan(rules, attempt, server), attempt)];
        seen.push(postgres);
        if (postgres !== model) disagreements.push({ files, attempt, postgres, model });
      }
    }
    expect(disagreements.slice(0, 3)).toEqual([]);
    expect(seen.length).toBeGreaterThanOrEqual(2000);
    // That all kinds of decision were among them, and not on the first lines alone.
    const kinds = new Set(seen.map((text) => text.replace(/ by .*/, "")));
    expect([...kinds].sort()).toEqual([
      "Ident authentication failed",
      "Peer authentication failed",
      "asked for gss",
      "asked for password",
      "asked for scram-sha-256",
      "connection requires a valid client certificate",
      "let in",
      "no pg_hba.conf entry",
      "pg_hba.conf rejects",
    ]);
    expect(seen.filter((text) => /^let in .*:([4-9]|1\d)$/.test(text)).length).toBeGreaterThan(50);
  });

  test("on the rows of a file that is rendered from its rules", () => {
    const disagreements = cases.flatMap(({ files }, index) => {
      const rows = run.outcomes[index]?.rows ?? [];
      const again = run.outcomes[index + cases.length]?.rows ?? [];
      if (refusedBy.postgres(index).length > 0) return [];
      const before = JSON.stringify(rows.map(contents));
      const after = JSON.stringify(again.map(contents));
      return before === after ? [] : [{ files, before, after }];
    });
    expect(disagreements.slice(0, 3)).toEqual([]);
  });
});
