import { adapter } from "../call";
import { listOffsiteCopies } from "../restore/source/available-backups";

export default adapter("copies-at-hand", ({ request }) => listOffsiteCopies(request.offsite));
