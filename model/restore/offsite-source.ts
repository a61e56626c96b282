import { z } from "zod";
import { offsiteRemoteShape, requireKnownHosts } from "../backup/offsite-config";
import { remotePathText } from "../backup/remote-copies";

/** The off-site copies of another server's backups, and the key that decrypts them: the stack file's section `data.offsite`. */
export const offsiteSourceSchema = z
  .strictObject({
    ...offsiteRemoteShape,
    server: z
      .string()
      .regex(/^[\w-]+$/, "must be the name of a server")
      .default("prod")
      .meta({ description: "The server whose copies they are." }),
    identity: z
      .string()
      .trim()
      .min(1, "must be a private key of age, as created by age-keygen, or of SSH")
      .meta({ description: "A private key that decrypts the copies; set it as a secret." }),
  })
  .superRefine(...requireKnownHosts);
export type OffsiteSource = z.output<typeof offsiteSourceSchema>;

/** The repository of contents from off-site copies: remote and path, without secrets. */
export function offsiteRepository(source: OffsiteSource): string {
  return remotePathText(source, source.server);
}
