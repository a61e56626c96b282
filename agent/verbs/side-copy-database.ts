import { adapter } from "../call";
import { copyDatabase } from "../recovery/instance/copy-database";
import { restoreAnswer } from "../restore/answer";

export default adapter("side-copy-database", async ({ request }) =>
  restoreAnswer(await copyDatabase(request)),
);
