import { adapter } from "../call";
import { serveScratch } from "../postgres/scratch/serve";

export default adapter("scratch", async ({ server }) => serveScratch(server));
