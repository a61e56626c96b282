import { z } from "zod";
import { identityProblem } from "../backup/age-identity";
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
      .superRefine((key, context) => {
        const problem = key === "" ? undefined : identityProblem(key);
        // With an object as the input, the value is not appended to the message: it is a secret.
        if (problem !== undefined)
          context.addIssue({ code: "custom", message: problem, input: {} });
      })
      .meta({ description: "A private key that decrypts the copies; set it as a secret." }),
  })
  .superRefine(...requireKnownHosts);
export type OffsiteSource = z.output<typeof offsiteSourceSchema>;

/** The remote of a server's own off-site copies, to list them. */
export const ownCopiesSchema = z.strictObject(offsiteRemoteShape);

/** The repository of contents from off-site copies: remote and path, without secrets. */
export function offsiteRepository(source: OffsiteSource): string {
  return remotePathText(source, source.server);
}
