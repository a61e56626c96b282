import { readFileSync } from "node:fs";
import {
  offsiteFetchedSchema,
  offsiteListSchema,
  offsiteUploadSchema,
} from "../../model/backup/offsite-protocol";
import { commandAgent, findAgent } from "../server/agent";
import { Problem } from "../base/problem";
import type { StackName } from "../project/stacks";
import { copiesText, fetchedText, uploadedText } from "../text/offsite";

interface Choice {
  /** The server whose copies are meant; the stack's own when it is left out. */
  readonly of?: string | undefined;
  readonly json?: boolean | undefined;
}

/** `stagecraft backups offsite`: the copies that are there, from what is there alone. */
export async function runOffsiteList(
  folder: string,
  stack: StackName,
  { of = stack, json }: Choice,
): Promise<void> {
  const place = await findAgent(folder, stack);
  const list = await commandAgent(place, {
    verb: "offsite",
    request: { of },
    answer: offsiteListSchema,
  });
  console.log(json ? toJson(list) : copiesText(list, new Date()));
}

/** `stagecraft backups offsite --upload`: copies now what is not there yet; whether all of it could be. */
export async function runOffsiteUpload(
  folder: string,
  stack: StackName,
  { json }: Choice,
): Promise<boolean> {
  const place = await findAgent(folder, stack);
  const { copies } = await commandAgent(place, {
    verb: "offsite-upload",
    request: {},
    answer: offsiteUploadSchema,
  });
  console.log(json ? toJson({ copies }) : uploadedText(copies));
  return copies.every(({ copy }) => copy.result !== "failed");
}

/** `stagecraft backups offsite <id>`: brings a backup back from its copy, with the private key of a file. */
export async function runOffsiteFetch(
  folder: string,
  stack: StackName,
  id: string,
  { identity, of = stack, json }: Choice & { readonly identity: string | undefined },
): Promise<void> {
  const key = readIdentity(identity, stack, id);
  const place = await findAgent(folder, stack);
  const fetched = await commandAgent(place, {
    verb: "offsite-fetch",
    request: { id, of, identity: key },
    answer: offsiteFetchedSchema,
  });
  console.log(json ? toJson(fetched) : fetchedText(fetched, stack));
}

function readIdentity(file: string | undefined, stack: string, id: string): string {
  if (file === undefined) {
    throw new Problem(
      "a copy can be read with its private key alone",
      `npx stagecraft backups offsite ${stack} ${id} --identity <file>`,
    );
  }
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const { code = "unreadable" } = error as NodeJS.ErrnoException;
    throw new Problem(
      `${file} cannot be read (${code})`,
      "name the file that age-keygen made, or an SSH key",
    );
  }
}

function toJson(value: unknown): string {
  return JSON.stringify(value, null, 2);
}
