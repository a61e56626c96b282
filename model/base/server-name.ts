import { z } from "zod";

/** Name of a server. It is part of the names of its volumes and containers, for which Docker allows these characters only. */
export const serverNameSchema = z
  .string()
  .regex(
    /^[a-zA-Z0-9][\w.-]*$/,
    'must consist of letters, digits, "_", "." and "-", and begin with a letter or digit',
  );
