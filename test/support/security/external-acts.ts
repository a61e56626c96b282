import { createHash } from "node:crypto";
import { expect } from "vitest";
import type { VerbName } from "../../../contract/verbs";
import { placeScript } from "../../../components/access/remote-pg-hba";
import { externalRules } from "../../../model/pg-hba/judge/external-rules";
import { hbaLocationSchema, hbaTrialSchema } from "../../../model/pg-hba/rule/protocol";
import { renderManagedFile } from "../../../model/pg-hba/text/managed-file";
import { boss, type ExternalTestServer } from "../servers/external-server";
import type { Act } from "./act";

/** Asks for what only an agent is asked for whose PostgreSQL is somewhere else. */
export class ExternalActs {
  constructor(
    private readonly server: ExternalTestServer,
    private readonly database: string,
  ) {}

  all(): Act[] {
    return [
      { name: "the connection", verbs: ["connection"], run: async () => this.#connect() },
      {
        name: "rules",
        verbs: ["pg-hba-check", "pg-hba-try"],
        run: async () => this.#changeRules(),
      },
    ];
  }

  async #connect(): Promise<void> {
    expect(await this.server.connectAgent()).toMatchObject({ status: 0 });
  }

  async #changeRules(): Promise<void> {
    const { database } = this;
    const network = { agent: "samenet", tls: true, application: "0.0.0.0/0" } as const;
    const rules = externalRules({ kind: "production", superuser: boss, database, ...network });
    const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");
    const text = renderManagedFile(rules, sha256, "host");
    const { hbaFile, dataDirectory } = hbaLocationSchema.parse(
      await this.#ask("pg-hba-check", text),
    );
    const head = `${hbaFile}\n${dataDirectory}\n1\n`;
    const placed = await this.server.onItsMachine(["sh", "-c", placeScript], head + text);
    expect(placed.status, placed.stderr).toBe(0);
    const trial = hbaTrialSchema.parse(await this.#ask("pg-hba-try", text));
    expect(trial).toEqual({ outcome: "keep", text: "" });
  }

  async #ask(verb: VerbName, text: string): Promise<unknown> {
    const said = await this.server.agent([verb], { server: this.server.name, text, required: [] });
    expect(said.status, said.stderr).toBe(0);
    return JSON.parse(said.stdout);
  }
}
