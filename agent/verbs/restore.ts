import { adapter } from "../call";
import { restoreAnswer } from "../restore/answer";
import { restore } from "../restore/restore";

export default adapter("restore", async ({ request }) => restoreAnswer(await restore(request)));
