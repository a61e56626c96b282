import { adapter } from "../call";
import { listDatabases } from "../postgres/databases";
import { withConnection } from "../postgres/connect";

export default adapter("databases", async () => ({
  databases: await withConnection("postgres", listDatabases),
}));
