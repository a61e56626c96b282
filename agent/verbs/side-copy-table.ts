import { adapter } from "../call";
import { copyTable } from "../recovery/instance/copy-table";

export default adapter("side-copy-table", ({ request }) => copyTable(request));
