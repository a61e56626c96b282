import { KeyStatementReader, type KeyStatements } from "../../../model/dump/key-statements";
import { clientEnvironment, streamOutput } from "../../postgres/client-programs";
import { unpack } from "./content";
import type { OpenedDump } from "./open-dump";

/** Reads the keys of a dump: of a plain one the whole file, of an archive its table of contents. */
export async function readKeys(dump: OpenedDump): Promise<KeyStatements> {
  const reader = new KeyStatementReader();
  const contents =
    dump.kind === "plain"
      ? unpack(dump.path, dump.compression, dump.name)
      : streamOutput(
          "pg_restore",
          ["--section=post-data", "--no-acl", "--no-owner", "--file=-", dump.path],
          clientEnvironment(),
        );
  for await (const chunk of contents) reader.push(chunk);
  return reader.finish(dump.encoding);
}
