import type { StatementFacts } from "./statement";

/** Whether a statement is about roles themselves, of which pg_dump writes none; pg_dumpall does. */
export function isAboutRoles({ action, object, excerpt }: StatementFacts): boolean {
  const isMembership = action === "grant" && object === undefined;
  return (
    isMembership || /^(?:ROLE|USER|GROUP)\b(?! MAPPING)/.test(object ?? "") || onRole.test(excerpt)
  );
}

const onRole = /^(?:COMMENT|SECURITY LABEL(?: FOR \S+)?) ON ROLE\b/i;
