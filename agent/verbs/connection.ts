import { adapter } from "../call";
import { ensureConnection } from "../server/connection/connection";

export default adapter("connection", ({ request }) => ensureConnection(request));
