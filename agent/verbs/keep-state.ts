import { adapter } from "../call";
import { saveStackState } from "../backup/stack-state";

export default adapter("keep-state", () => saveStackState());
