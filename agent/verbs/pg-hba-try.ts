import { adapter } from "../call";
import { tryExternalPgHba } from "../server/pg-hba/external";

export default adapter("pg-hba-try", ({ request }) => tryExternalPgHba(request));
