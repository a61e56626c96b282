import type { Defuse } from "./statement";
export const defusePresets: Readonly<Record<string, Defuse>> = {};
