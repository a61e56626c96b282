import { expect, test } from "vitest";
import { withoutUser } from "../../../cli/project/remove-user";

const file = `# of production
config:
  stagecraft:people:
    ada: DbAdmin # since March
    bob: Tester
  stagecraft:passwords:
    application:
      secure: AAAB
    ada:
      secure: AAAC
  stagecraft:pgHba:
    rules:
      - hostssl shop ada samenet cert
`;

test("a user is removed with the password; everything else of the stack file stays", () => {
  expect(withoutUser(file, "ada")).toBe(
    file
      .replace("    ada: DbAdmin # since March\n", "")
      .replace("    ada:\n      secure: AAAC\n", ""),
  );
  expect(withoutUser(file, "bob")).toBe(file.replace("    bob: Tester\n", ""));
});

test("a user who is not in the file changes nothing", () => {
  expect(withoutUser(file, "eve")).toBe(file);
  expect(withoutUser("config: {}\n", "ada")).toBe("config: {}\n");
});
