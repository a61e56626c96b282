import type { Socket } from "node:net";

/** The first line that arrives. Throws when the other side ends before, or sends more than `maxBytes`. */
export async function readLine(socket: Socket, maxBytes: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (settle: () => void): void => {
      socket.off("data", onData).off("end", onEnd).off("close", onEnd).off("error", reject);
      settle();
    };
    const onData = (chunk: Buffer): void => {
      const end = chunk.indexOf(10);
      chunks.push(end < 0 ? chunk : chunk.subarray(0, end));
      bytes += chunk.length;
      if (bytes > maxBytes)
        finish(() => {
          reject(new Error(`it sent more than ${maxBytes} bytes`));
        });
      else if (end >= 0)
        finish(() => {
          resolve(Buffer.concat(chunks).toString("utf8"));
        });
    };
    const onEnd = (): void => {
      finish(() => {
        reject(new Error("it closed the connection"));
      });
    };
    socket.on("data", onData).on("end", onEnd).on("close", onEnd).on("error", reject);
  });
}
