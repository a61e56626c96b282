import { z } from "zod";
import type { BackupId } from "../base/names";
import { sha256Schema } from "../base/sha256";

/** A public Ed25519 key (RFC 8032): `ed25519:` and its 32 bytes in base64. */
export const publicKeySchema = z
  .string()
  .regex(
    /^ed25519:[A-Za-z0-9+/]{43}=$/,
    "must be a public key like ed25519:…, as npx stagecraft status shows it",
  );

/** A signature, with the public key that verifies it. */
export const signatureSchema = z.strictObject({
  key: publicKeySchema,
  /** 64 bytes in base64. */
  value: z.string().regex(/^[A-Za-z0-9+/]{86}==$/, "must be an Ed25519 signature in base64"),
});
export type Signature = z.infer<typeof signatureSchema>;

/** The digest by which an operator accepts a manifest: `sha256:` and the SHA-256 of `manifest.json`. */
export const acceptedDigestSchema = z
  .string()
  .regex(/^sha256:[0-9a-f]{64}$/, "must be the digest of a manifest like sha256:1f0e…");

/** The digest of a manifest, in the form that {@link acceptedDigestSchema} accepts. */
export function manifestDigest(sha256: string): string {
  return `sha256:${sha256}`;
}

/**
 * Why an agent vouches for a manifest: it made the backup, the backup existed when it began to sign, it fetched the
 * backup from a copy, or an operator accepted it by its digest.
 */
const reasons = ["made", "earlier version", "fetched", "accepted"] as const;

/** The record `signature` of a backup: what an agent signs about its manifest. */
export const manifestSignatureSchema = z.strictObject({
  /** SHA-256 of the bytes of `manifest.json`. */
  manifest: sha256Schema,
  reason: z.enum(reasons),
  at: z.iso.datetime(),
});
export type ManifestSignature = z.infer<typeof manifestSignatureSchema>;

/**
 * The text that is signed for a record: its kind, the backup's id, and all its fields in a fixed order, so that it is
 * valid for no other kind, backup or value.
 */
export function signedText(
  kind: string,
  id: BackupId,
  record: Readonly<Record<string, unknown>>,
): string {
  const fields = Object.entries(record).filter(([, value]) => value !== undefined);
  fields.sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(["stagecraft", 1, kind, id, fields]);
}
