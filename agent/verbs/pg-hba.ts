import { adapter } from "../call";
import { applyPgHba } from "../server/pg-hba/apply";

export default adapter("pg-hba", ({ request }) => applyPgHba(request));
