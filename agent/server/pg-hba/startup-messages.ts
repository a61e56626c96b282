/** Answer of a server to a startup message. */
export type Answer =
  /** No authentication request: `trust`, `peer`, `cert`. `sessionError` is why the session did not start, e.g. a missing database. */
  | { readonly kind: "accepted"; readonly sessionError?: ServerError }
  | { readonly kind: "authentication requested"; readonly request: AuthRequest }
  | { readonly kind: "rejected"; readonly error: ServerError }
  /** TLS was requested and the server does not offer it. */
  | { readonly kind: "no TLS" };

/** Authentication that a server can request. */
export type AuthRequest = "password" | "md5" | "gss" | "sspi" | "scram-sha-256" | "oauth";

/** An error of PostgreSQL. */
export interface ServerError {
  /** SQLSTATE. */
  readonly code: string;
  readonly message: string;
}

/** Authentication requests by number. PostgreSQL manual, 54.7. */
const authRequests: Readonly<Record<number, AuthRequest>> = {
  3: "password",
  5: "md5",
  7: "gss",
  9: "sspi",
};
const authenticationOk = 0;
const authenticationSasl = 10;

/** SSLRequest. PostgreSQL manual, 54.7. */
export const sslRequest = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);

/** Terminate. PostgreSQL manual, 54.7. */
export const terminateMessage = Buffer.from([0x58, 0, 0, 0, 4]);

/** StartupMessage of protocol 3.0. PostgreSQL manual, 54.7. */
export function startupMessage(parameters: Readonly<Record<string, string>>): Buffer {
  const strings = Object.entries(parameters).flat();
  const body = Buffer.from(`${strings.map((string) => `${string}\0`).join("")}\0`);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(head.length + body.length, 0);
  head.writeUInt32BE(3 << 16, 4);
  return Buffer.concat([head, body]);
}

/** Parses the bytes received so far; `undefined` while the answer is incomplete. */
export function readAnswer(received: Buffer): Answer | undefined {
  let accepted = false;
  for (const { type, body } of messages(received)) {
    if (type === "E") {
      const error = readErrorResponse(body);
      return accepted ? { kind: "accepted", sessionError: error } : { kind: "rejected", error };
    }
    if (type === "Z") return { kind: "accepted" };
    if (type !== "R") continue;
    const number = body.readUInt32BE(0);
    if (number !== authenticationOk)
      return { kind: "authentication requested", request: authRequestOf(number, body) };
    accepted = true;
  }
  return undefined;
}

function authRequestOf(number: number, body: Buffer): AuthRequest {
  if (number === authenticationSasl)
    return body.toString("latin1", 4).startsWith("SCRAM-SHA-256") ? "scram-sha-256" : "oauth";
  const request = authRequests[number];
  if (request === undefined)
    throw new Error(`PostgreSQL sent the unknown authentication request ${number}`);
  return request;
}

function* messages(received: Buffer): Generator<{ readonly type: string; readonly body: Buffer }> {
  for (let at = 0; at + 5 <= received.length;) {
    const end = at + 1 + received.readUInt32BE(at + 1);
    if (end > received.length) return;
    yield { type: received.toString("latin1", at, at + 1), body: received.subarray(at + 5, end) };
    at = end;
  }
}

/** Parses an ErrorResponse: fields of a letter and a text. PostgreSQL manual, 54.8. */
function readErrorResponse(body: Buffer): ServerError {
  const fields = new Map(
    body
      .toString("utf8")
      .split("\0")
      .map((field) => [field.slice(0, 1), field.slice(1)]),
  );
  return { code: fields.get("C") ?? "", message: fields.get("M") ?? "" };
}
