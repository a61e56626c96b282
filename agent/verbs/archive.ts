import { adapter } from "../call";
import { switchArchiving } from "../recovery/archive/switch-archiving";

export default adapter("archive", ({ request }) => switchArchiving(request));
