import { adapter } from "../call";
import { testAlerts } from "../daemon/alerts/test-alerts";

export default adapter("alerts-test", ({ server }) => testAlerts(server));
