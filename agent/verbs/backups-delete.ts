import { adapter } from "../call";
import { deleteBackups } from "../backup/remove";

export default adapter("backups-delete", ({ request }) => deleteBackups(request));
