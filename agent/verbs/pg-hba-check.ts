import { adapter } from "../call";
import { checkExternalPgHba } from "../server/pg-hba/external";

export default adapter("pg-hba-check", ({ request }) => checkExternalPgHba(request));
