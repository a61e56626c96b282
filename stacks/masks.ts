import { mask, type Masks } from "../components";

/** What the example application's columns become on a server that is not production. One row per column; docs/masks.md. */
export const masks: Masks = {
  classify: "strict",
  columns: {
    "departments.*": mask.public(),

    "users.*": mask.public(),
    "users.login": mask.hash(),
    "users.name": mask.name(),
    "users.email": mask.email(),
    "users.phone": mask.phone(),
    "users.password_hash": mask.constant("!"),
    "users.api_token": mask.null(),
    "users.hourly_rate": mask.noise(20),
    "users.skills": mask.constant([]),
    "users.preferences": mask.sql("preferences - 'signature'"),
    "users.hired_on": mask.dateShift(30, "id"),
    "users.left_on": mask.dateShift(30, "id"),

    "sessions.*": mask.public(),
    "sessions.token": mask.hash(),
    "sessions.address": mask.constant("192.0.2.1"),

    '"Time Off".*': mask.public(),
    '"Time Off"."From"': mask.dateShift(30, "User Id"),
    '"Time Off"."To"': mask.dateShift(30, "User Id"),
    '"Time Off"."Reason / Grund"': mask.null(),

    "holidays.*": mask.public(),

    "customers.*": mask.public(),
    "customers.name": mask.sql("'Customer ' || number"),
    "customers.address": mask.null(),
    "customers.vat_id": mask.null(),
    "customers.billing_email": mask.email(),
    "customers.credit_limit": mask.noise(20),
    "customers.note": mask.null(),

    "contacts.*": mask.public(),
    "contacts.name": mask.name(),
    "contacts.email": mask.email(),
    "contacts.phone": mask.phone(),

    "contracts.*": mask.public(),
    "contracts.title": mask.sql("'Contract ' || id"),
    "contracts.scan": mask.null(),
    "contracts.terms": mask.null(),

    "exchange_rates.*": mask.public(),
    "fiscal_periods.*": mask.public(),

    "projects.*": mask.public(),
    "projects.name": mask.sql("'Project ' || code"),
    "projects.description": mask.constant(""),
    "projects.properties": mask.null(),
    "project_members.*": mask.public(),

    "tasks.*": mask.public(),
    "tasks.title": mask.sql("'Task ' || id"),
    "tasks.description": mask.null(),

    "invoices.*": mask.public(),
    "invoices.sent_to": mask.email(),
    "invoices.note": mask.null(),
    "invoice_lines.*": mask.public(),
    "invoice_lines.description": mask.constant("Consulting"),

    "hours.*": mask.public(),
    "hours.rate": mask.noise(20, "user_id"),
    "hours.note": mask.constant(""),

    "attachments.*": mask.public(),
    "attachments.file_name": mask.sql("'file ' || id"),
    "attachments.content": mask.constant("\\x"),

    "mail_queue.*": mask.public(),
    "mail_queue.recipient": mask.email(),
    "mail_queue.copy_to": mask.email(),
    "mail_queue.subject": mask.constant("masked"),
    "mail_queue.body": mask.constant("masked"),
    "mail_queue.error": mask.null(),

    // Secrets and addresses in these are the business of stacks/defuse.ts.
    "settings.*": mask.public(),
    "webhooks.*": mask.public(),
    "scheduled_jobs.*": mask.public(),

    "audit.entries.*": mask.public(),
    "audit.entries.address": mask.null(),
    "audit.entries.before": mask.null(),
    "audit.entries.after": mask.null(),
  },
};
