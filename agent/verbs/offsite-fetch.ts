import { adapter } from "../call";
import { fetchBackup } from "../offsite/copies";

export default adapter("offsite-fetch", ({ request }) => fetchBackup(request));
