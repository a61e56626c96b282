import { adapter, check } from "../call";
import { receive, receiveSchema } from "../restore/dump/receive";

export default adapter("receive", async ({ args }) => receive(await check(receiveSchema, args)));
