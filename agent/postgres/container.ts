/** Name of PostgreSQL's container, which is its host name in the server's network; `undefined` when an older version created the agent's container. */
export const postgresHostName = process.env.STAGECRAFT_POSTGRES_HOST;

/** Command that prints PostgreSQL's server log, for the fix of a message. */
export const serverLogCommand = `docker logs ${postgresHostName ?? "<PostgreSQL's container>"}`;
