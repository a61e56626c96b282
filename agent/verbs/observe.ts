import { adapter } from "../call";
import { observe } from "../observation/observe";

export default adapter("observe", ({ server }) => observe(server));
