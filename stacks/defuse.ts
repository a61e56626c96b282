import type { Defuse } from "../components";

/** What a copy of the example application's database must not do or know; docs/defuse.md. */
export const defuse: Defuse = [
  {
    name: "mail off",
    sql: `DELETE FROM mail_queue WHERE status = 'waiting';
          UPDATE settings SET value = 'localhost.invalid' WHERE key = 'smtp_host'`,
    expect: `SELECT NOT EXISTS (SELECT FROM mail_queue WHERE status = 'waiting')
                AND NOT EXISTS (SELECT FROM settings WHERE key = 'smtp_host' AND value NOT LIKE '%.invalid')`,
  },
  {
    name: "scheduled jobs off",
    sql: "UPDATE scheduled_jobs SET enabled = false WHERE enabled",
    expect: "SELECT NOT EXISTS (SELECT FROM scheduled_jobs WHERE enabled)",
  },
  {
    name: "tokens blanked",
    sql: `UPDATE settings SET value = NULL WHERE is_secret OR key = 'accounting_export_url';
          UPDATE users SET api_token = NULL WHERE api_token IS NOT NULL;
          UPDATE webhooks SET secret = NULL, enabled = false;
          DELETE FROM sessions`,
    expect: `SELECT NOT EXISTS (SELECT FROM settings WHERE is_secret AND value IS NOT NULL)
                AND NOT EXISTS (SELECT FROM users WHERE api_token IS NOT NULL)
                AND NOT EXISTS (SELECT FROM webhooks WHERE secret IS NOT NULL OR enabled)
                AND NOT EXISTS (SELECT FROM sessions)`,
  },
  {
    name: "addresses rewritten",
    sql: `UPDATE settings SET value = 'http://timesheets.invalid/' WHERE key = 'base_url';
          UPDATE settings SET value = 'copy' WHERE key = 'environment';
          UPDATE webhooks SET url = 'http://webhook-' || id || '.invalid/';
          UPDATE scheduled_jobs SET target = 'http://job-' || id || '.invalid/' WHERE target LIKE 'http%'`,
    expect: `SELECT NOT EXISTS (SELECT FROM settings WHERE value ~ '^https?://' AND value !~ '^http://[^/]+\\.invalid/')
                AND NOT EXISTS (SELECT FROM webhooks WHERE url !~ '^http://[^/]+\\.invalid/')
                AND NOT EXISTS (SELECT FROM scheduled_jobs WHERE target ~ '^https?://' AND target !~ '^http://[^/]+\\.invalid/')
                AND NOT EXISTS (SELECT FROM settings WHERE key = 'environment' AND value = 'production')`,
  },
];
