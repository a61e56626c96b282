import { adapter } from "../call";
import { planRefresh } from "../restore/plan";

export default adapter("plan", ({ request }) => planRefresh(request));
