/** Size of a tar header, and of the blocks that contents are padded to. */
const blockBytes = 512;

/** Names of the members of a tar, as far as its first bytes reach, e.g. `["shop/", "shop/toc.dat"]`. */
export function tarMembers(head: Buffer): readonly string[] {
  const names: string[] = [];
  let at = 0;
  while (
    at + blockBytes <= head.length &&
    head.toString("latin1", at + 257, at + 262) === "ustar"
  ) {
    const field = (from: number, length: number): string =>
      head.toString("utf8", at + from, at + from + length).replace(/\0[^]*$/, "");
    const prefix = field(345, 155);
    const type = field(156, 1);
    const name = prefix === "" ? field(0, 100) : `${prefix}/${field(0, 100)}`;
    // Other types describe the next member: a longer name, its times.
    if (type === "" || type === "0" || type === "5") names.push(name);
    const size = Number.parseInt(field(124, 12).trim(), 8);
    at += blockBytes * (1 + Math.ceil((Number.isNaN(size) ? 0 : size) / blockBytes));
  }
  return names;
}

/** Position of the format in a table of contents, and the format of a folder. */
const formatAt = 10;
const directoryFormat = 5;

/**
 * Why a tar is no archive of `pg_dump -F t`, with the fix: it holds a dump in another format. `undefined` when it may be
 * one: its first member is then its table of contents.
 */
export function packedTarProblem(name: string, head: Buffer): string | undefined {
  const members = tarMembers(head);
  const toc = members.find((member) => /(?:^|\/)toc\.dat$/.test(member));
  const isArchive = members[0] === "toc.dat" && head[blockBytes + formatAt] !== directoryFormat;
  if (isArchive || members.length === 0) return undefined;
  const isFolder =
    toc !== undefined || members.some((member) => /(?:^|\/)\d+\.dat(?:\.\w+)?$/.test(member));
  const folder = /^(?:\.\/)?([^/]+)\//.exec(toc ?? members[0] ?? "")?.[1];
  const file = members.find((member) => !member.endsWith("/"));
  const what = isFolder
    ? `the folder of a dump by pg_dump -F d (${folder ?? "toc.dat and its data files"})`
    : `${file ?? "a folder"}${members.length > 1 && file !== undefined ? " and more" : ""}`;
  const set = isFolder ? (folder ?? "the folder you unpack it in") : (file ?? "the dump in it");
  return `${name} is a tar with ${what} in it, not a dump of pg_dump -F t; unpack it (tar -xf ${name}) and set data.dump to ${set}`;
}
