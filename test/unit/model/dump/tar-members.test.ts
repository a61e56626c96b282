import { describe, expect, test } from "vitest";
import { packedTarProblem, tarMembers } from "../../../../model/dump/tar-members";

/** A tar of members by name and contents, without checksums. */
function tar(...members: readonly (readonly [string, string | Buffer])[]): Buffer {
  const blocks = members.flatMap(([name, contents]) => {
    const bytes = Buffer.from(contents as string);
    const header = Buffer.alloc(512);
    header.write(name);
    header.write(`${bytes.length.toString(8).padStart(11, "0")} `, 124);
    header.write(name.endsWith("/") ? "5" : "0", 156);
    header.write("ustar", 257);
    return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  return Buffer.concat(blocks);
}

const toc = (format: number): Buffer =>
  Buffer.from([...Buffer.from("PGDMP"), 1, 15, 0, 4, 8, format]);

test("the members of a tar are listed as far as its head reaches", () => {
  const bytes = tar(["shop/", ""], ["shop/a.sql", "x".repeat(600)], ["shop/b.sql", "y"]);
  expect(tarMembers(bytes)).toEqual(["shop/", "shop/a.sql", "shop/b.sql"]);
  expect(tarMembers(bytes.subarray(0, 1200))).toEqual(["shop/", "shop/a.sql"]);
});

describe("a tar that is no archive of pg_dump", () => {
  test.each([
    [
      "a dump",
      tar(["shop.sql", "--"]),
      "x.tgz is a tar with shop.sql in it, not a dump of pg_dump -F t; unpack it (tar -xf x.tgz) and set data.dump to shop.sql",
    ],
    [
      "dumps",
      tar(["./", ""], ["./a.sql", "--"], ["./b.sql", "--"]),
      /with \.\/a\.sql and more in it/,
    ],
    [
      "a folder of pg_dump",
      tar(["shop/", ""], ["shop/1.dat.gz", "x"], ["shop/toc.dat", toc(5)]),
      "x.tgz is a tar with the folder of a dump by pg_dump -F d (shop) in it, not a dump of pg_dump -F t; unpack it (tar -xf x.tgz) and set data.dump to shop",
    ],
    [
      "a folder whose table of contents is beyond the head",
      tar(["shop/", ""], ["shop/1.dat.gz", "x"]),
      /pg_dump -F d \(shop\)/,
    ],
    [
      "the files of a folder",
      tar(["toc.dat", toc(5)], ["1.dat.gz", "x"]),
      /pg_dump -F d \(toc\.dat and its data files\)/,
    ],
  ])("with %s in it", (_, bytes, expected) => {
    expect(packedTarProblem("x.tgz", bytes)).toMatch(expected);
  });

  test("is told from one that is", () => {
    expect(packedTarProblem("x.tar", tar(["toc.dat", toc(3)], ["1.dat", "x"]))).toBeUndefined();
  });
});
