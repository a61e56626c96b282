import { adapter } from "../call";
import { restoreTable } from "../recovery/instance/restore-table";

export default adapter("side-restore-table", ({ request }) => restoreTable(request));
