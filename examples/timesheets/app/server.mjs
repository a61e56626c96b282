// Serves a page with row counts of the timesheets database, and /health. Queries run in psql, which needs no npm package
// and reads the connection from PGHOST etc. and the password from the file PGPASSFILE.
import { execFile } from "node:child_process";
import { createServer } from "node:http";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Required settings. */
const needed = ["base_url", "company_name", "environment", "smtp_host", "smtp_port"];

const counts = `SELECT json_build_object(
  'users', (SELECT count(*) FROM users),
  'projects', (SELECT count(*) FROM projects),
  'hours', (SELECT count(*) FROM hours))`;
const settings =
  "SELECT coalesce(json_object_agg(key, value), '{}') FROM settings WHERE NOT is_secret";

async function ask(sql) {
  const { stdout } = await run("psql", ["-XAtqw", "-v", "ON_ERROR_STOP=1", "-c", sql], {
    timeout: 5000,
  });
  return JSON.parse(stdout);
}

function log(level, text) {
  console.log(`${new Date().toISOString()} ${level} ${text}`);
}

function reasonOf({ stderr, message }) {
  return (stderr || message).trim().split("\n")[0];
}

async function page() {
  const [rows, { company_name: company, environment }] = await Promise.all([
    ask(counts),
    ask(settings),
  ]);
  const lines = Object.entries(rows).map(([name, count]) => `${name}: ${count}`);
  return [`Timesheets of ${company} (${environment})`, ...lines, ""].join("\n");
}

async function health() {
  const { maintenance } = await ask(settings);
  if (maintenance === "on") throw new Error("the setting maintenance is on");
  return "well\n";
}

const server = createServer(async ({ url }, response) => {
  response.setHeader("content-type", "text/plain; charset=utf-8");
  try {
    response.end(await (url === "/health" ? health() : page()));
  } catch (error) {
    log("ERROR", `${url}: ${reasonOf(error)}`);
    response.writeHead(503).end("out of order\n");
  }
});

async function checkSettings() {
  const found = await ask(settings);
  for (const name of needed) {
    if (!Object.hasOwn(found, name)) log("ERROR", `the setting "${name}" is missing`);
  }
}

process.on("SIGTERM", () => {
  server.close(() => process.exit());
  server.closeAllConnections();
});

await checkSettings().catch((error) => log("ERROR", reasonOf(error)));
const port = Number(process.env.PORT ?? 8080);
server.listen(port, () => log("INFO", `listens on port ${port}`));
