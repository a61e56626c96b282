import { adapter } from "../call";
import { restoreAnswer } from "../restore/answer";
import { recover } from "../recovery/databases/recover";

export default adapter("restore", async ({ request }) => restoreAnswer(await recover(request)));
