import { expect, test } from "vitest";
import { copiesText, fetchedText, uploadedText } from "../../../../cli/text/offsite";

const now = new Date("2026-11-22T09:29:00Z");
const place = "s3:bucket/prod";

test("copies are shown newest first, with their age, size and where the backup is", () => {
  const copies = [
    { id: "20261115T032900Z", bytes: 1.8 * 2 ** 30, isHere: false },
    { id: "20261122T032900Z", bytes: 1.9 * 2 ** 30, isHere: true },
  ];
  expect(copiesText({ server: "prod", place, copies }, now)).toBe(
    [
      "id                age  size    where",
      "20261122T032900Z  6 h  1.9 GB  here, off-site",
      "20261115T032900Z  7 d  1.8 GB  off-site",
      "s3:bucket/prod",
    ].join("\n"),
  );
  expect(copiesText({ server: "prod", place, copies: [] }, now)).toBe(
    "no off-site copies in s3:bucket/prod",
  );
});

test("an upload tells of each copy, and that there was nothing to do", () => {
  const copy = {
    result: "failed",
    remote: place,
    at: now.toISOString(),
    bytes: 0,
    sha256: null,
    text: "no space",
  } as const;
  expect(uploadedText([{ id: "20261115T032900Z", copy }])).toBe(
    "20261115T032900Z  failed  no space",
  );
  expect(uploadedText([])).toBe("all off-site copies are up to date");
});

test("a backup that came back is to be verified", () => {
  expect(fetchedText({ id: "20261115T032900Z", bytes: 2 ** 20 }, "prod")).toBe(
    "backup 20261115T032900Z was fetched   1 MB, all files match the manifest · to verify it by a restore: npx stagecraft backups verify prod 20261115T032900Z",
  );
});
