import { z } from "zod";
import type { BackupId } from "../base/names";
import { sha256Schema } from "../base/sha256";
import { manifestDigest, publicKeySchema, type ManifestSignature } from "./signature";

/** Whether a backup is from the server that it claims to be from. */
export const authenticitySchema = z.strictObject({
  /**
   * `signed`: by the agent that made it. `unsigned`: made by an earlier version, before the server began to sign.
   * `fetched`: checked when it was fetched from a copy. `accepted`: by an operator, by its digest. `rejected`: none of
   * these.
   */
  state: z.enum(["signed", "unsigned", "fetched", "accepted", "rejected"]),
  /** SHA-256 of its manifest. */
  manifest: sha256Schema,
  /** The public key of its signature; `null` if it has no valid one. */
  key: publicKeySchema.nullable(),
  /** Why it is rejected, and the fix; `null` if it is not. */
  problem: z.string().nullable(),
});
export type Authenticity = z.infer<typeof authenticitySchema>;

/** Which signatures count for the backups of a repository. */
export interface Trust {
  /** Public keys that are trusted. */
  readonly keys: readonly string[];
  /** Whether any key is trusted, because none is known yet; the caller stores the first one. */
  readonly firstUse: boolean;
  /** Whether unsigned backups count, because nothing shows that the server signs its backups. */
  readonly acceptsUnsigned: boolean;
  /** Whose backups these are, which decides the fix of a problem. */
  readonly scope: "own repository" | "another server's volume" | "restored copy" | "fetched copy";
}

/** A record, with what its signature proves. */
export interface SignedRecord<T> {
  readonly record: T;
  /** The public key of its valid signature; `"invalid"` for a signature that does not match; `null` without one. */
  readonly key: string | null;
}

/** Value of {@link SignedRecord.key} if the signature does not match the record. */
export const invalidKey = "invalid";

/** A backup, by its folder and its record `signature`. */
export interface ClaimedBackup {
  /** Name of its folder. */
  readonly id: BackupId;
  /** The id in its manifest. */
  readonly manifestId: BackupId;
  /** SHA-256 of its manifest. */
  readonly sha256: string;
  readonly signature: SignedRecord<ManifestSignature> | null;
}

/** Judges a backup. `accepted` are the digests of manifests that an operator accepts. */
export function judgeBackup(
  backup: ClaimedBackup,
  trust: Trust,
  accepted: readonly string[] = [],
): Authenticity {
  const { id, manifestId, sha256, signature } = backup;
  const judged = (state: Authenticity["state"], key: string | null = null): Authenticity => ({
    state,
    key,
    manifest: sha256,
    problem: null,
  });
  const rejected = (why: string, fix: string): Authenticity => ({
    ...judged("rejected"),
    problem: `${why}; ${fix}`,
  });
  if (manifestId !== id) {
    return rejected(
      `the manifest of backup ${id} is of backup ${manifestId}`,
      "use another backup",
    );
  }
  if (accepted.includes(manifestDigest(sha256))) return judged("accepted");
  const fix = rejectionFix(trust, id, sha256);
  if (signature === null) {
    if (trust.acceptsUnsigned) return judged("unsigned");
    return rejected(
      `backup ${id} has no signature, although its server signs its backups: the signature was removed, or the backup is not from this server`,
      fix,
    );
  }
  const { record, key } = signature;
  if (key === null || key === invalidKey || record.manifest !== sha256) {
    return rejected(
      `the signature of backup ${id} does not match its manifest: one of them was altered`,
      fix,
    );
  }
  if (!trust.firstUse && !trust.keys.includes(key)) {
    return rejected(
      `backup ${id} is signed with the key ${key}, which this server does not trust`,
      `${keyFixes[trust.scope](key)}; otherwise ${fix}`,
    );
  }
  return judged(states[record.reason], key);
}

const states = {
  made: "signed",
  "earlier version": "unsigned",
  fetched: "fetched",
  accepted: "accepted",
} as const;

/**
 * Whether a record of a backup counts: it is signed with the key of its backup or with a trusted one, and was written for
 * this manifest; without signatures, if unsigned backups count.
 */
export function recordCounts(
  { record, key }: SignedRecord<{ readonly manifest?: string | null | undefined }>,
  trust: Trust,
  authenticity: Authenticity | undefined,
): boolean {
  if (key === null)
    return trust.acceptsUnsigned && (authenticity?.state ?? "unsigned") === "unsigned";
  const isTrusted =
    trust.keys.includes(key) ||
    (trust.firstUse && key !== invalidKey && [null, key].includes(authenticity?.key ?? null));
  return isTrusted && (authenticity === undefined || record.manifest === authenticity.manifest);
}

/** Records that say how a backup fared; the record `signature` is judged with its backup. */
export type EvidenceName = "attempt" | "verification" | "offsite";

const evidence: Readonly<
  Record<EvidenceName, readonly [what: string, fix: (id: string) => string]>
> = {
  attempt: ["how backup $ was made", (id) => `remove records/${id}/attempt.json`],
  verification: [
    "a verification of backup $",
    (id) => `verify it again: npx stagecraft backups verify <stack> ${id}`,
  ],
  offsite: [
    "the off-site copy of backup $",
    () => "upload it again: npx stagecraft backups offsite <stack> --upload",
  ],
};

/** Why a record does not count, and what to do. */
export function rejectedRecordText(name: EvidenceName, id: BackupId): string {
  const [what, fix] = evidence[name];
  return `the record of ${what.replace("$", id)} does not count: it was altered, or is not signed with a trusted key for this backup; ${fix(id)}`;
}

/** What to do about an unknown key, if it is the right one. */
const keyFixes: Readonly<Record<Trust["scope"], (key: string) => string>> = {
  "own repository": (key) =>
    `if it is the key that this server had before it was recreated, add ${key} to backups.signedBy`,
  "another server's volume": (key) =>
    `if it is the key that npx stagecraft status shows for that server, set data.signedBy: ${key}`,
  "restored copy": (key) =>
    `if it is the key of the server that made the copy, set data.signedBy: ${key}`,
  "fetched copy": (key) =>
    `if it is the key of the server that made the copy, add ${key} to backups.signedBy`,
};

const acceptFixes: Readonly<Record<Trust["scope"], (id: BackupId, digest: string) => string>> = {
  "own repository": (id, digest) =>
    `npx stagecraft backups verify <stack> ${id} --accept ${digest}`,
  "another server's volume": (_, digest) => `set data.accept: ${digest}`,
  "restored copy": (_, digest) => `set data.accept: ${digest}`,
  "fetched copy": (id, digest) =>
    `npx stagecraft backups offsite <stack> ${id} --identity <file> --accept ${digest}`,
};

/** What to do about a rejected backup. */
export function rejectionFix(
  { scope }: Pick<Trust, "scope">,
  id: BackupId,
  sha256: string,
): string {
  const how = acceptFixes[scope](id, manifestDigest(sha256));
  return `use another backup, or, if you are certain that it is genuine, accept its manifest: ${how}`;
}
