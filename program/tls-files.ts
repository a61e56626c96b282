import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { TlsArgs } from "../components";
import type { ConfigProblem } from "../model/base/config-problem";
import type { StackFileConfig } from "../model/stack-file/schema";

/** Reads the files that a stack's `tls` section names, and reports problems. */
export function readTlsFiles(
  projectFolder: string,
  { names, certificate, key, ca, clientCa }: StackFileConfig["tls"],
): { readonly tls: TlsArgs; readonly problems: readonly ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const fail = (name: string, text: string): void => {
    problems.push({ path: `tls.${name}`, text });
  };
  const read = (name: string, path: string | undefined): string | undefined => {
    if (path === undefined) return undefined;
    try {
      return readFileSync(resolve(projectFolder, path), "utf8");
    } catch {
      fail(name, `cannot be read: ${path}; give the path of a file from the project folder`);
      return undefined;
    }
  };
  if (certificate !== undefined && key === undefined)
    fail("key", "is missing; a certificate needs its key");
  if (key !== undefined && certificate === undefined) {
    fail("certificate", "is missing; a key needs its certificate");
  }
  const tls = {
    names,
    certificate: read("certificate", certificate),
    key: read("key", key),
    ca: read("ca", ca),
    clientCa: read("clientCa", clientCa),
  };
  if (key !== undefined && tls.key !== undefined && isOpen(resolve(projectFolder, key))) {
    fail("key", `${key} is readable by other users of this machine; fix it with: chmod 600 ${key}`);
  }
  return { tls, problems };
}

function isOpen(path: string): boolean {
  return (statSync(path).mode & 0o077) !== 0;
}
