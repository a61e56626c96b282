import { expect, test } from "vitest";
import {
  lostMemberships,
  lostRoleRights,
  readGlobals,
  type PresentRole,
} from "../../../../model/restore/globals";

const text = String.raw`--
-- PostgreSQL database cluster dump
--

\restrict abc

SET default_transaction_read_only = off;
SET standard_conforming_strings = on;

CREATE ROLE boss;
ALTER ROLE boss WITH SUPERUSER INHERIT NOCREATEROLE NOCREATEDB LOGIN NOREPLICATION NOBYPASSRLS;
CREATE ROLE crm_app;
ALTER ROLE crm_app WITH NOSUPERUSER INHERIT NOCREATEROLE CREATEDB LOGIN NOREPLICATION NOBYPASSRLS VALID UNTIL '2030-01-01 SUPERUSER';
CREATE ROLE "crm ""rw""";
ALTER ROLE "crm ""rw""" WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS;
COMMENT ON ROLE "crm ""rw""" IS 'who''s who;
CREATE ROLE evil';
CREATE ROLE postgres;
ALTER ROLE postgres WITH SUPERUSER INHERIT CREATEROLE CREATEDB LOGIN REPLICATION BYPASSRLS;
CREATE ROLE shop_owner;
ALTER ROLE shop_owner WITH NOSUPERUSER INHERIT NOCREATEROLE NOCREATEDB NOLOGIN NOREPLICATION NOBYPASSRLS;
COMMENT ON ROLE shop_owner IS 'stagecraft: owner';
ALTER ROLE crm_app SET search_path TO 'crm', 'public';
GRANT "crm ""rw""" TO crm_app WITH INHERIT TRUE GRANTED BY postgres;
GRANT pg_monitor TO crm_app WITH INHERIT TRUE GRANTED BY postgres;

\unrestrict abc
`;

const role = (name: string, more: Partial<PresentRole> = {}): PresentRole => ({
  ...{ name, attributes: [], memberOf: [], settings: false, isManaged: false },
  ...more,
});

test("the roles of a backup are read with attributes, groups, parameters and comments", () => {
  const roles = readGlobals(text);
  expect(roles.map(({ name }) => name)).toEqual([
    ...["boss", "crm_app", 'crm "rw"', "postgres", "shop_owner"],
  ]);
  expect(roles[1]).toEqual({
    name: "crm_app",
    attributes: ["CREATEDB", "LOGIN"],
    comment: null,
    memberOf: ['crm "rw"', "pg_monitor"],
    settings: ["ALTER ROLE crm_app SET search_path TO 'crm', 'public'"],
  });
  expect(roles[4]?.comment).toBe("stagecraft: owner");
});

test("what they have lost is said, with the statement that gives it back, and never a superuser's rights", () => {
  const roles = readGlobals(text);
  const present = [role("boss"), role("crm_app"), role('crm "rw"'), role("postgres")];
  expect(lostRoleRights(roles, present)).toEqual([
    "boss exists without what it had: it had SUPERUSER LOGIN; to give it back: ALTER ROLE \"boss\" LOGIN PASSWORD '…'",
    `crm_app exists without what it had: it had CREATEDB LOGIN, it was a member of crm "rw", it was a member of pg_monitor, it had parameters; to give it back: ALTER ROLE "crm_app" CREATEDB LOGIN PASSWORD '…'; GRANT "crm ""rw""" TO "crm_app"; GRANT "pg_monitor" TO "crm_app"; ALTER ROLE crm_app SET search_path TO 'crm', 'public'`,
  ]);
  expect(lostRoleRights(roles, [role("crm_app", { isManaged: true })])).toEqual([
    "boss was not created, because no restored database names it, it had SUPERUSER LOGIN",
    "crm_app is now a role of Stagecraft for its database, without password; it had CREATEDB LOGIN; to let it log in: ALTER ROLE \"crm_app\" PASSWORD '…'",
    'crm "rw" was not created, because no restored database names it',
  ]);
});

test("only memberships among roles of others are granted again", () => {
  const roles = readGlobals(text);
  const present = [role("boss"), role("crm_app"), role('crm "rw"'), role("postgres")];
  expect(lostMemberships(roles, present)).toEqual([{ role: "crm_app", memberOf: 'crm "rw"' }]);
  const managed = present.map((one) => ({ ...one, isManaged: true }));
  expect(lostMemberships(roles, managed)).toEqual([]);
});
