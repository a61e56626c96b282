import { adapter } from "../call";
import { verifyNow } from "../verify/verify-now";

export default adapter("verify", ({ request }) => verifyNow(request));
