import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Folder in which Pulumi's file backend stores its state; `undefined` with another backend. */
export function fileBackendFolder(folder: string): string | undefined {
  const url = process.env["PULUMI_BACKEND_URL"] ?? "";
  if (url === "") return join(folder, ".stagecraft", "state");
  return url.startsWith("file:///") ? fileURLToPath(url) : undefined;
}
