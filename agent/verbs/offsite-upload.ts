import { adapter } from "../call";
import { uploadCopies } from "../offsite/copies";

export default adapter("offsite-upload", async ({ server }) => ({
  copies: await uploadCopies(server),
}));
