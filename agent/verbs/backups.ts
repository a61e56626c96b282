import { adapter } from "../call";
import { listBackups } from "../backup/catalogue";

export default adapter("backups", ({ request }) => listBackups(request));
