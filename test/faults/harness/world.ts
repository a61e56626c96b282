import { expect } from "vitest";
import { quoteIdentifier } from "../../../model/base/sql";
import type { Remotes } from "../../support/offsite/remotes";
import { clockFile, type TestServer } from "../../support/servers/server";
import { note, type Facts, type Holding } from "./judge";
import { Ours } from "./ours";
import { undisturbed, type Act, type Place } from "./outcome";
import { Script } from "./script";

const hour = 3_600_000;
const day = 24 * hour;

/** Good backups of each side before anything goes wrong. */
const goods = 4;

/** What is there before anything goes wrong, and the time of day for all. */
export class World {
  readonly ours: Ours;
  readonly script: Script;
  /** What time it really is. */
  #now = Date.parse("2029-01-01T00:00:00Z");
  #held: Holding | undefined;

  constructor(
    readonly server: TestServer,
    readonly away: Remotes,
  ) {
    this.ours = new Ours(this);
    this.script = new Script(this);
  }

  async prepare(): Promise<void> {
    await this.server.createDatabase(
      "template_of_shop",
      `CREATE TABLE public.a AS SELECT i, md5(i::text) || md5((-i)::text) AS note FROM generate_series(1, 20000) i;
       CREATE TABLE public.z AS SELECT generate_series(1, 500) AS id;
       CREATE UNLOGGED TABLE public.fleeting AS SELECT generate_series(1, 70) AS id;
       CREATE TABLE public.parts (day int, note text) PARTITION BY RANGE (day);
       CREATE TABLE public.parts_1 PARTITION OF public.parts FOR VALUES FROM (0) TO (50);
       CREATE TABLE public.parts_2 PARTITION OF public.parts DEFAULT;
       INSERT INTO public.parts SELECT i, 'of ' || i FROM generate_series(0, 99) i;
       CREATE TABLE public."it's an ""odd"" name" AS SELECT 'x' AS "a ""b"" c'";
       SELECT lo_from_bytea(0, 'large'), lo_from_bytea(0, repeat('y', 5000)::bytea);`,
    );
    await this.makeShop();
    await this.#prepareAway();
    await this.ours.prepare();
    await this.script.prepare();
    for (let i = 0; i < goods; i++) {
      for (const side of [this.ours, this.script])
        expect(await side.attempt(undisturbed)).toEqual({ outcome: "whole", deleted: 0 });
    }
    await this.ours.takeCopy();
  }

  /** The database that is backed up, as it was in the beginning. */
  async makeShop(): Promise<void> {
    await this.server.sql("postgres", "DROP DATABASE IF EXISTS shop WITH (FORCE)");
    await this.server.sql("postgres", "CREATE DATABASE shop TEMPLATE template_of_shop");
  }

  /** An hour passes, and an attempt is about to begin; what is there to be backed up then. */
  async begin({ holding, clock, place, before = "true" }: Act): Promise<Facts> {
    await this.#hold(holding);
    await this.pass(1);
    const now = new Date(this.#now + (clock?.from === "before" ? clock.days * day : 0));
    await this.server.setClock(now.toISOString());
    const noted = await note(this.server, holding);
    if (place?.before !== undefined) await this.away.run(place.before);
    await this.server.run(["bash", "-c", before]);
    return noted;
  }

  /** Shell that does what happens meanwhile. */
  meanwhile({ clock, meanwhile = "true" }: Act): string {
    if (clock?.from !== "meanwhile") return meanwhile;
    const moment = new Date(this.#now + clock.days * day).toISOString();
    return `printf %s ${moment} >${clockFile}.new; mv ${clockFile}.new ${clockFile}`;
  }

  /** What the clock says when an attempt has ended. */
  clockAfter({ clock }: Act): Date {
    return new Date(this.#now + (clock?.days ?? 0) * day);
  }

  /** Lets time pass until a moment. */
  async goOn(moment: Date): Promise<void> {
    this.#now = moment.getTime();
    await this.pass(0);
  }

  /** What time it is. */
  get now(): Date {
    return new Date(this.#now);
  }

  /** Lets hours pass. */
  async pass(hours: number): Promise<void> {
    this.#now += hours * hour;
    await this.server.setClock(new Date(this.#now).toISOString());
  }

  /** The way to a place by SFTP. */
  wayTo({ user, port = "22" }: Place) {
    const { remote, options } = this.away.sftp();
    return { remote, options: { ...options, user, port } };
  }

  /** Everything that is under a final name there, with its path. */
  async thereAt({ user }: Place): Promise<string[]> {
    const find = `find /home/${user}/backups /full/backups -type f ! -name '*.partial' 2>/dev/null || true`;
    return (await this.away.run(find)).split("\n").filter((name) => name !== "");
  }

  /** Removes everything there. */
  async clearPlace({ user }: Place): Promise<void> {
    await this.away.run(`rm -rf /home/${user}/backups /full/*`);
  }

  /** Gets a file from there as it lies there, by another way than it went. */
  async fetch(path: string): Promise<Buffer> {
    return Buffer.from(await this.away.run(`base64 -w0 ${path}`), "base64");
  }

  /** Makes what is to be backed up beside the usual database, and removes what was before. */
  async #hold(holding: Holding | undefined): Promise<void> {
    if (this.#held === holding) return;
    const drops = this.#held?.databases.map(
      ({ name }) => `DROP DATABASE ${quoteIdentifier(name)};`,
    );
    if (drops) await this.server.sql("postgres", drops.join("\n"));
    this.#held = holding;
    await holding?.make(this.server);
  }

  /**
   * One user loses every connection behind some bytes, another one gets no answer, what a third one stores is not what
   * was sent, and what a fourth one sends takes its time.
   */
  async #prepareAway(): Promise<void> {
    const rot = `for file in backups/*/*; do [ -s "$file" ] && printf rotten | dd of="$file" bs=1 seek=3000 conv=notrunc; done 2>/dev/null`;
    await this.away.run(`
      for user in cut silent rots slow; do useradd --create-home $user; done
      printf '#!/bin/sh\\nstdbuf -o0 head -c "$(cat limit)" | /usr/lib/openssh/sftp-server\\nkill -9 $PPID\\n' >/usr/local/bin/cut-off
      cat >/usr/local/bin/rots <<'EOF'
#!/bin/sh
/usr/lib/openssh/sftp-server
${rot}
EOF
      cat >/usr/local/bin/slow <<'EOF'
#!/bin/sh
perl -e 'while (sysread STDIN, $bytes, $ARGV[0] / 10) { syswrite STDOUT, $bytes; select undef, undef, undef, 0.1 }' "$(cat speed)" | /usr/lib/openssh/sftp-server
EOF
      chmod 0755 /usr/local/bin/cut-off /usr/local/bin/rots /usr/local/bin/slow
      printf 'Match User %s\\n  ForceCommand %s\\n' silent 'sleep 60' cut cut-off rots rots slow slow >>/etc/ssh/sshd_config.d/test.conf
      kill -HUP 1`);
  }
}
