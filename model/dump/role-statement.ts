import type { StatementFacts } from "./statement";

/** Whether a statement changes a role itself or its memberships. pg_dump writes no such statements, pg_dumpall does. */
export function isRoleStatement({ action, object, excerpt }: StatementFacts): boolean {
  const isMembership = action === "grant" && object === undefined;
  return (
    isMembership || /^(?:ROLE|USER|GROUP)\b(?! MAPPING)/.test(object ?? "") || onRole.test(excerpt)
  );
}

const onRole = /^(?:COMMENT|SECURITY LABEL(?: FOR \S+)?) ON ROLE\b/i;
