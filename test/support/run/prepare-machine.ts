import { ensureServerImage } from "../../../cli/server/server-image";
import { baseImage, dockerEngine, nodeRuntime, pulumiToolchain } from "../../../tools";
import { checkout } from "../files/checkout";

/** Makes the machine ready for tests against the real engine, as `npm start` would. */
export async function setup(): Promise<void> {
  const tell = (name: string) => (text: string) => {
    process.stdout.write(`${name}: ${text}\n`);
  };
  for (const requirement of [nodeRuntime, dockerEngine, baseImage, pulumiToolchain]) {
    await requirement.ensure(throttled(tell(requirement.name)));
  }
  await ensureServerImage(checkout, throttled(tell("server image")));
}

/** A line every five seconds is enough for a log. */
function throttled(tell: (text: string) => void): (text: string) => void {
  let last = Date.now();
  return (text) => {
    if (Date.now() - last < 5000) return;
    last = Date.now();
    tell(text);
  };
}
