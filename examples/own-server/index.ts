import * as pulumi from "@pulumi/pulumi";
import { readFileSync } from "node:fs";
import {
  Database,
  ExternalPostgres,
  readDump,
  type AddressArgs,
  type ConnectionTlsArgs,
  type ExternalPgHbaChoice,
  type ExternalPostgresArgs,
  type Passwords,
  type SshArgs,
} from "../../components";

type ServerKind = ExternalPostgresArgs["kind"];
type SslMode = ConnectionTlsArgs["mode"];
type Ssh = Omit<SshArgs, "privateKey"> & { readonly key: string };

const config = new pulumi.Config();
const read = (path: string): string => readFileSync(path, "utf8");

const kind = config.require<ServerKind>("kind");
const { name, dump: path } = config.requireObject<{ name: string; dump: string }>("database");
const { mode, ca } = config.requireObject<{ mode?: SslMode; ca?: string }>("tls");
const { key, ...ssh } = config.requireObject<Partial<Ssh>>("ssh");
const passwords = config.requireSecretObject<Passwords & { superuser: string }>("passwords");

const dump = readDump(process.cwd(), path);
if ("problem" in dump) throw new pulumi.RunError(`database.dump: ${dump.problem}`);

/** Named after the stack. */
const server = new ExternalPostgres(pulumi.getStack(), {
  namePrefix: config.require("namePrefix"),
  kind,
  address: config.requireObject<AddressArgs>("address"),
  superuser: {
    name: config.require("superuser"),
    password: passwords.apply(({ superuser }) => superuser),
  },
  tls: { mode, ca: ca === undefined ? undefined : read(ca) },
  roles: { database: name, passwords },
  pgHba: config.requireObject<ExternalPgHbaChoice>("pgHba"),
  ssh: key === undefined ? undefined : { ...(ssh as Ssh), privateKey: read(key) },
});
const database = new Database(name, {
  server,
  contents: dump,
  mode: kind === "production" ? "when missing" : "replace",
});

export const { verdict } = database;
/** The complete file, to install on the server if there is no SSH access. */
export const { pgHba } = server;
