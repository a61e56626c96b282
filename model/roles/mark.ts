/** Purpose of a role created by Stagecraft. It is stored by `COMMENT ON ROLE`, which distinguishes the role from all others. */
export const roleMarks = [
  "application",
  "owner",
  "readonly",
  "monitor",
  "group",
  "person",
] as const;
export type RoleMark = (typeof roleMarks)[number];

/** The comment of a role created by Stagecraft. */
export const roleComment = (mark: RoleMark): string => `stagecraft: ${mark}`;

/** The purpose of a role, from its comment; `undefined` for roles that Stagecraft did not create. */
export function readRoleComment(comment: string | null): RoleMark | undefined {
  return roleMarks.find((mark) => comment === roleComment(mark));
}
