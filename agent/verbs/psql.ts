import { adapter } from "../call";
import { psqlAsOwner } from "../server/roles/psql";

export default adapter("psql", ({ args }) => psqlAsOwner(args.database, args.words));
