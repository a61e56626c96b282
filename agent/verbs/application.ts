import { adapter } from "../call";
import { saveApplication } from "../server/application/stored-application";

export default adapter("application", ({ request }) => saveApplication(request));
