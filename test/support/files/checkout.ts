import { resolve } from "node:path";

/** Folder of this checkout. */
export const checkout = resolve(__dirname, "../../..");
