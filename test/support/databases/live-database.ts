import { beforeAll, expect } from "vitest";
import {
  unfinishedRestoreSql,
  type TestRestore,
  type TestRestored,
  type TestServer,
} from "../servers/server";
import { liveSql } from "./shop";

/** A live database that faulty restores are aimed at. */
export interface LiveDatabase {
  /** Tries to restore a dump over it; that must fail, say `text`, and leave everything as it was. */
  readonly expectRefused: (
    dump: Buffer | string,
    name: string,
    text: RegExp,
    more?: Omit<Partial<TestRestore>, "dump" | "name"> & { readonly mayPass?: boolean },
  ) => Promise<TestRestored>;
  /** That it has its former contents and answers, and nothing half-made is beside it. */
  readonly expectUntouched: () => Promise<void>;
}

/** Makes `live` before the tests of a file: a database restored by the agent, as an operator would have it. */
export function useLiveDatabase(server: TestServer): LiveDatabase {
  beforeAll(async () => {
    await server.createDatabase("former", liveSql);
    const { result } = await server.restore({
      database: "live",
      dump: await server.dump("former"),
      name: "former.sql",
    });
    expect(result.result, result.text).toBe("restored");
    await server.sql("postgres", "DROP DATABASE former");
  });

  const expectUntouched = async (): Promise<void> => {
    const contents = `SELECT count(*), current_setting('stagecraft.stamp')::json -> 'source' ->> 'name' FROM public.former`;
    expect(await server.sql("live", `${contents}; ${unfinishedRestoreSql}`)).toBe("7|former.sql\n");
  };

  return {
    expectUntouched,
    expectRefused: async (dump, name, text, { mayPass = false, ...more } = {}) => {
      const said = await server.restore({ database: "live", dump, name, ...more });
      if (mayPass && said.result.result === "restored") {
        await server.sql(
          "postgres",
          "DROP DATABASE live; ALTER DATABASE live__previous RENAME TO live",
        );
      } else {
        expect(said.result.result).toBe("failed");
        expect(said.status).toBe(1);
        expect(said.stderr).toMatch(text);
        expect(said.stderr).toContain(
          `${server.name} was not changed: the import of ${name} failed`,
        );
      }
      await expectUntouched();
      return said;
    },
  };
}
