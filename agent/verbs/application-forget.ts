import { adapter } from "../call";
import { deleteApplication } from "../server/application/stored-application";

export default adapter("application-forget", () => deleteApplication());
