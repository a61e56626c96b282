import { adapter } from "../call";
import { sendBackup } from "../repository/send-backup";

export default adapter("backups-send", ({ args }) => sendBackup(args.id));
