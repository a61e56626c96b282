import { adapter } from "../call";
import { listCopies } from "../offsite/copies";

export default adapter("offsite", ({ request }) => listCopies(request.of));
