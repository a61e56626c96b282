import { z } from "zod";
import { offsiteRemoteShape, requireKnownHosts } from "../backup/offsite-config";
import { remotePathText } from "../backup/remote-copies";

/** Where off-site copies of another server's backups lie, and what opens them: the stack file's section `data.offsite`. */
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
      .min(1, "must be a private key of age, as age-keygen makes it, or of SSH")
      .meta({ description: "A private key that opens the copies, as a secret." }),
  })
  .superRefine(...requireKnownHosts);
export type OffsiteSource = z.output<typeof offsiteSourceSchema>;

/** What is said of contents from there in place of a volume; without any secret. */
export function offsiteRepository(source: OffsiteSource): string {
  return remotePathText(source, source.server);
}
