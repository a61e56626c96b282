import { adapter } from "../call";
import { rejectExternal } from "../postgres/external-connection";
import { confirmParameters } from "../server/parameters/confirm";

export default adapter("settings-confirm", ({ server, request }) => {
  rejectExternal(server, "parameters are");
  return confirmParameters(request.settings);
});
