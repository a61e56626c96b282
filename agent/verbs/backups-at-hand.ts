import { adapter } from "../call";
import { listAvailableBackups } from "../restore/source/available-backups";

export default adapter("backups-at-hand", ({ args }) => listAvailableBackups(args.repository));
