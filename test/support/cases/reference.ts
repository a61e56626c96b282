import type { TestServer } from "../servers/server";

/** What pg_dump writes of a database: its objects and rows, without owners and grants, which depend on the server's roles. */
const contents = "pg_dump -U postgres -O -x \"$0\" | sed -E '/^\\\\(un)?restrict /d'";

/** Restores a dump with psql or pg_restore alone into a database of its own; its {@link contentsOf}. */
export async function referenceContents(server: TestServer, dump: Buffer): Promise<string> {
  const script = `
    sql() { psql -qX -U postgres -d postgres -c "$1"; }
    cat >/tmp/case
    case "$(head -c 4 /tmp/case | od -An -tx1 | tr -d ' ')" in
      28b52ffd | 502a4d18) zstd -dcq --long=31 /tmp/case >/tmp/case.sql && mv /tmp/case.sql /tmp/case ;;
    esac
    sql "CREATE DATABASE $0 TEMPLATE template0"
    restore="psql -qX -f"
    [ "$(head -c 5 /tmp/case)" != PGDMP ] || restore="pg_restore -O -x"
    $restore /tmp/case -U postgres -d "$0" >/dev/null 2>&1 || true
    ${contents}
    sql "DROP DATABASE $0"`;
  return (await server.output(["bash", "-ec", script, "reference"], dump)).toString();
}

/** What there is in a database, to be compared with {@link referenceContents}. */
export async function contentsOf(server: TestServer, database: string): Promise<string> {
  return (await server.output(["bash", "-ec", contents, database])).toString();
}
