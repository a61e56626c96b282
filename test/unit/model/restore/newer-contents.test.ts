import { describe, expect, test } from "vitest";
import { newerContentsText, newestContents } from "../../../../model/restore/newer-contents";
import { catalogueEntry } from "../../../support/backups/catalogue-entry";

const now = new Date("2026-11-22T12:00:00Z");
const request = {
  ...{ server: "prod", database: "timesheets" },
  source: { name: "old.sql", sha256: "a".repeat(64) },
};
const none = { here: [], copies: [], remote: "sftp:backups/prod", records: [] };
const here = [
  catalogueEntry({ at: "2026-11-20T03:29Z" }),
  catalogueEntry({ at: "2026-11-21T03:29Z", verified: null }),
  catalogueEntry({ at: "2026-11-22T03:29Z", verified: "failed" }),
  catalogueEntry({ at: "2027-01-01T03:29Z" }),
];

describe("contents newer than those that production is to be filled with", () => {
  test("are none while there is no backup", () => {
    expect(newestContents(request, none, now)).toBeUndefined();
  });

  test("are the newest backup that is neither broken nor of the future", () => {
    const newest = { id: "20261121T032900Z", place: "here" };
    expect(newestContents(request, { ...none, here }, now)).toEqual(newest);
    const other = { ...request, database: "other" };
    expect(newestContents(other, { ...none, here }, now)).toBeUndefined();
  });

  test.each([
    ["20261120T032900Z", "20261121T032900Z"],
    ["20261121T032900Z", undefined],
  ])("are judged by the id of a backup: %s", (backup, newer) => {
    const source = { name: backup, backup, repository: "sftp:backups/prod" };
    expect(newestContents({ ...request, source }, { ...none, here }, now)?.id).toBe(newer);
    const accepted = { ...request, acceptOlder: backup };
    expect(newestContents(accepted, { ...none, here }, now)?.id).toBe(newer);
  });

  test("are a copy that nobody here knows, and not one of other databases", () => {
    const copies = ["20261119T032900Z", "20261121T042900Z"];
    const known = { ...none, copies };
    expect(newestContents(request, known, now)).toEqual({
      ...{ id: "20261121T042900Z", place: "sftp:backups/prod" },
    });
    const { backup, verification } = catalogueEntry({ at: "2026-11-21T04:29Z" });
    if (!backup) throw new Error("no backup");
    const facts = { remote: "", at: "", bytes: 1, sha256: null, text: "" };
    const offsite = { ...facts, result: "uploaded" } as const;
    const databases = [{ name: "crm", bytes: 1, rows: 1 }];
    const was = { backup: { ...backup, databases }, verification, offsite };
    const records = [{ id: "20261121T042900Z", bytes: 1, isVerified: true, was }];
    expect(newestContents(request, { ...known, records }, now)?.id).toBe("20261119T032900Z");
  });
});

test("the rejection names the newest, what was asked for, and both ways out", () => {
  expect(newerContentsText(request, { id: "20261121T032900Z", place: "here" })).toBe(
    `timesheets of prod is missing, and its stack names older contents than there are: backup 20261121T032900Z is here, but data names old.sql, whose age is unknown
restore the newest: npx stagecraft recover prod, or set data.from: server:prod and data.backup: 20261121T032900Z
or, to use the older contents, set data.acceptOlder: 20261121T032900Z`,
  );
});
