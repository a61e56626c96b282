import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import type { TlsArgs } from "../components";
import type { ConfigProblem } from "../model/base/config-problem";
import { hasPassphrase } from "../model/base/private-key";
import type { StackFileConfig } from "../model/stack-file/schema";
import { tlsRequestSchema } from "../model/tls/protocol";

/** Reads the files that a stack's `tls` section names, and reports problems. */
export function readTlsFiles(
  projectFolder: string,
  { names, certificate, key, ca }: StackFileConfig["tls"],
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
  };
  if (key !== undefined && tls.key !== undefined && isOpen(resolve(projectFolder, key))) {
    fail("key", `${key} is readable by other users of this machine; fix it with: chmod 600 ${key}`);
  }
  const contents = { certificate, key, ca };
  for (const [name, path] of Object.entries(contents)) {
    const text = tls[name as keyof typeof contents];
    if (text === undefined || path === undefined) continue;
    const problem = pemProblem(name, path, text);
    if (problem !== undefined) fail(name, problem);
  }
  return { tls, problems };
}

/** What is wrong with the contents of a file, which are not shown: they may be a private key. */
function pemProblem(name: string, path: string, text: string): string | undefined {
  if (name === "key" && hasPassphrase(text)) {
    return `${path} has a passphrase, which nobody can enter when PostgreSQL starts; remove it with: openssl pkey -in ${path} -out <new file>`;
  }
  const { error } = tlsRequestSchema.shape[name as "key"].safeParse(text);
  return error && `${path} ${error.issues[0]?.message ?? "is not PEM"}`;
}

function isOpen(path: string): boolean {
  return (statSync(path).mode & 0o077) !== 0;
}
