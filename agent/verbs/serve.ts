import { adapter } from "../call";
import { serve } from "../daemon/serve";

export default adapter("serve", ({ server }) => {
  serve(server);
  return Promise.resolve();
});
