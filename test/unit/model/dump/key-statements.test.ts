import { expect, test } from "vitest";
import { KeyStatementReader } from "../../../../model/dump/key-statements";

const keys = [
  "SELECT pg_catalog.set_config('search_path', '', false)",
  'ALTER TABLE ONLY public."Time ""Off"""\n    ADD CONSTRAINT "a b" PRIMARY KEY (id)',
  "ALTER TABLE ONLY public.users\n    ADD CONSTRAINT users_email UNIQUE NULLS NOT DISTINCT (email)",
  "ALTER TABLE ONLY public.t ADD EXCLUDE USING gist (during WITH &&)",
  "CREATE UNIQUE INDEX users_lower ON public.users USING btree (lower(email))",
  "ALTER INDEX public.hours_pkey ATTACH PARTITION public.hours_2026_pkey",
  "ALTER TABLE ONLY public.hours\n    ADD CONSTRAINT hours_user FOREIGN KEY (user_id) REFERENCES public.users(id) NOT VALID",
];
const others = [
  "CREATE TABLE public.users (id int, email text CHECK (email <> 'ADD UNIQUE'))",
  "ALTER TABLE ONLY public.users ADD CONSTRAINT c CHECK ((id > 0)) NOT VALID",
  "CREATE INDEX users_name ON public.users USING btree (name)",
  "ALTER TABLE public.users ENABLE ROW LEVEL SECURITY",
  "CREATE TRIGGER t BEFORE INSERT ON public.users FOR EACH ROW EXECUTE FUNCTION public.f()",
];

test("the keys of a dump are found in order, and nothing else, whatever its rows say", () => {
  const rows = `COPY public.users (id, email) FROM stdin;\n1\t${keys[1]?.replaceAll("\n", " ") ?? ""};\n\\.\n`;
  const [first = "", ...rest] = keys.map((key) => `${key};\n`);
  const text = `SET client_encoding = 'LATIN1';\n${first}${others.map((one) => `${one};\n`).join("")}${rows}${rest.join("")}`;
  const reader = new KeyStatementReader();
  for (const byte of Buffer.from(text)) reader.push(Buffer.from([byte]));
  const found = reader.finish();
  expect(found.encoding).toBe("LATIN1");
  expect(found.statements.map(String)).toEqual(keys);
});
