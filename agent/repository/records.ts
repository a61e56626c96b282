import { mkdir, rm } from "node:fs/promises";
import path from "node:path";
import { z } from "zod";
import { attemptSchema, offsiteCopySchema, verificationSchema } from "../../model/backup/catalogue";
import { invalidKey, type SignedRecord } from "../../model/backup/authenticity";
import { manifestSignatureSchema, signatureSchema, signedText } from "../../model/backup/signature";
import type { BackupId } from "../../model/base/names";
import { writeFileAtomically } from "../system/atomic-file";
import { isRealFolder, readIfRegularFile } from "../system/regular-file";
import { knownCopiesSchema } from "./known-offsite-copies";
import { isSignatureOf, signText } from "./signing-key";
import { parseJson, repositoryFolder } from "./stored-backup";

/**
 * Records about a backup, and about an attempt to make one. All are signed. Each is a file of its own beside the backup,
 * so that concurrent writers do not overwrite each other.
 */
const schemas = {
  attempt: attemptSchema,
  signature: manifestSignatureSchema,
  verification: verificationSchema,
  offsite: offsiteCopySchema,
  /** What is known of the other off-site copies when its own is made; a part of the copy. */
  copies: z.strictObject({ copies: knownCopiesSchema }),
};
export type RecordName = keyof typeof schemas;
type RecordOf<Name extends RecordName> = z.infer<(typeof schemas)[Name]>;

/** Name of the signature in the file of a signed record. */
const signedShape = { signature: signatureSchema.optional() };

/** The folder of all records of a repository. */
export function recordsFolder(repository = repositoryFolder): string {
  return path.join(repository, "records");
}

/** The folder of the records of a backup. */
export function recordFolder(id: BackupId, repository = repositoryFolder): string {
  return path.join(recordsFolder(repository), id);
}

/** Writes a record, signed. */
export async function saveRecord<Name extends RecordName>(
  id: BackupId,
  name: Name,
  record: RecordOf<Name>,
): Promise<void> {
  const signature = await signText(signedText(name, id, record));
  await write(id, name, JSON.stringify({ ...record, signature }));
}

/** A record, with the key that it is signed with; `null` without one, or when it cannot be parsed. */
export async function readRecord<Name extends RecordName>(
  id: BackupId,
  name: Name,
  repository = repositoryFolder,
): Promise<SignedRecord<RecordOf<Name>> | null> {
  return (await findRecord(id, name, repository)) ?? null;
}

/** The same; `undefined` for a record that cannot be parsed. */
export async function findRecord<Name extends RecordName>(
  id: BackupId,
  name: Name,
  repository: string,
): Promise<SignedRecord<RecordOf<Name>> | null | undefined> {
  const text = await read(id, name, repository);
  return text === undefined ? null : (parseRecord(id, name, text) ?? undefined);
}

/** Parses the text of a record, and checks its signature. */
export function parseRecord<Name extends RecordName>(
  id: BackupId,
  name: Name,
  text: string | undefined,
): SignedRecord<RecordOf<Name>> | null {
  const schema: z.ZodObject = schemas[name];
  const stored = text === undefined ? undefined : parseJson(schema.extend(signedShape), text);
  if (!stored) return null;
  const { signature, ...rest } = stored;
  const record = rest as RecordOf<Name>;
  const known = signatureSchema.safeParse(signature).data;
  if (!known) return { record, key: null };
  const isValid = isSignatureOf(signedText(name, id, record), known);
  return { record, key: isValid ? known.key : invalidKey };
}

/** Removes all records of a backup. */
export async function removeRecords(id: BackupId): Promise<void> {
  await rm(recordFolder(id), { recursive: true, force: true });
}

async function write(id: BackupId, name: string, text: string): Promise<void> {
  const folder = recordFolder(id);
  if (!(await isRealFolder(folder))) {
    // A link would lead the record elsewhere.
    await rm(folder, { force: true });
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  await writeFileAtomically(path.join(folder, `${name}.json`), text);
}

async function read(id: BackupId, name: string, repository: string): Promise<string | undefined> {
  const file = path.join(recordFolder(id, repository), `${name}.json`);
  const bytes = await readIfRegularFile(file);
  return bytes?.toString("utf8");
}
