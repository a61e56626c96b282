import { adapter } from "../call";
import { instancePsql } from "../recovery/instance/psql";

export default adapter("side-psql", ({ server, args }) => instancePsql(server, args.words));
