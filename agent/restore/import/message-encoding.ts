import type { EventEmitter } from "node:events";
import type { Client } from "pg";
import type { DecodeText } from "../../../model/dump/text-encoding";

interface RawConnection extends EventEmitter {
  readonly stream: EventEmitter;
}

/** Fields of an error or a notice that may hold names, by their letters in the protocol (PostgreSQL manual, 53.8). */
const namedFields = { M: "message", D: "detail", H: "hint", W: "where" } as const;

/**
 * Decodes errors and notices with `decode`: PostgreSQL sends them in the client encoding of the session, but `pg`
 * assumes UTF-8. `decode` is called for each message, so it can follow changes of the encoding.
 */
export function readMessagesBy(client: Client, decode: DecodeText): void {
  const { connection } = client as unknown as { readonly connection: RawConnection };
  const reader = new MessageReader();
  connection.stream.prependListener("data", (chunk: Buffer) => {
    reader.push(chunk);
  });
  // `pg` emits them in the order of arrival.
  for (const event of ["errorMessage", "notice"]) {
    connection.prependListener(event, (message: Record<string, unknown>) => {
      for (const [letter, bytes] of reader.next()) {
        if (letter in namedFields) message[namedFields[letter as "M"]] = decode(bytes);
      }
    });
  }
}

type Fields = readonly (readonly [string, Buffer])[];

/** Extracts errors and notices from the protocol stream. Frontend/backend protocol: PostgreSQL manual, 53.7. */
class MessageReader {
  #rest: Buffer = Buffer.alloc(0);
  readonly #messages: Fields[] = [];

  push(chunk: Buffer): void {
    const bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    let at = 0;
    while (bytes.length - at >= 5) {
      const end = at + 1 + bytes.readInt32BE(at + 1);
      if (end > bytes.length) break;
      const type = String.fromCharCode(bytes[at] as number);
      if (type === "E" || type === "N") this.#messages.push(fieldsOf(bytes.subarray(at + 5, end)));
      at = end;
    }
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  /** The fields of the next message. */
  next(): Fields {
    return this.#messages.shift() ?? [];
  }
}

function fieldsOf(body: Buffer): Fields {
  const fields: (readonly [string, Buffer])[] = [];
  let at = 0;
  while (at < body.length && body[at] !== 0) {
    const end = body.indexOf(0, at);
    fields.push([String.fromCharCode(body[at] as number), Buffer.from(body.subarray(at + 1, end))]);
    at = end + 1;
  }
  return fields;
}
