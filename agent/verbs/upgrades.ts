import { adapter } from "../call";
import { reportUpgrades } from "../prepare/upgrades/report";

export default adapter("upgrades", ({ request }) => reportUpgrades(request));
