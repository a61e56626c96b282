import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { encryptedBytes } from "../../../../model/backup/encrypted-size";
import {
  isSecretOption,
  offsiteConfigSchema,
  parseRemote,
} from "../../../../model/backup/offsite-config";
import {
  completeCopies,
  copyName,
  parseCopyName,
  partialCopyName,
  remotePathText,
} from "../../../../model/backup/remote-copies";
import { deletionProblems } from "../../../../model/backup/deletion-problems";
import { applyRetention } from "../../../../model/backup/retention";
import {
  recordUploads,
  offsiteOnlyEntries,
  offsiteCatalogue,
  updateRecordedCopies,
  pendingUploads,
} from "../../../../model/backup/offsite-copies";
import { parseBandwidth, s3PartMegabytes } from "../../../../model/backup/transfer-options";
import { isDenial, rcloneFailure } from "../../../../model/backup/rclone-failure";
import { remoteProblems, renderRcloneConfig } from "../../../../model/backup/rclone-config";
import { newestVerified, type CatalogueEntry } from "../../../../model/backup/catalogue";
import { digestedRequest, backupsRequestSchema } from "../../../../model/backup/protocol";
import { hideSecrets } from "../../../../model/base/hide-secrets";
import { formatBackupId } from "../../../../model/base/names";
import { problemsOf } from "../../../../model/stack-file/zod-problems";

const recipient = "age1ac265zwcz0p49ldafugk6tueq38k05v7ym4t7t5x9j6jal0qdcmsrqfwd2";
const s3 = {
  remote: "s3:bucket/shop",
  options: { secret_access_key: "hush-hush" },
  recipients: [recipient],
};

function problems(settings: unknown): string[] {
  const { error } = offsiteConfigSchema.safeParse(settings, { reportInput: true });
  return (error?.issues ?? [])
    .flatMap((issue) => problemsOf(issue, [], []))
    .map(({ path, text }) => `${path} ${text}`);
}

describe("a place for copies", () => {
  test("is a back end of rclone and a path there", () => {
    expect(parseRemote("s3:bucket/shop/")).toEqual({ backend: "s3", path: "bucket/shop" });
    expect(parseRemote("google cloud storage:bucket")).toMatchObject({
      backend: "google cloud storage",
    });
    expect(parseRemote("sftp:")).toEqual({ backend: "sftp", path: "" });
    expect(parseRemote("/backups")).toBeUndefined();
    expect(remotePathText(s3, "prod", copyName("20261121T032900Z"))).toBe(
      "s3:bucket/shop/prod/20261121T032900Z.tar.age",
    );
  });

  test("has options as rclone calls them, as text", () => {
    expect(problems(s3)).toEqual([]);
    const { options } = offsiteConfigSchema.parse({ ...s3, options: { port: 22, ssl: true } });
    expect(options).toEqual({ port: "22", ssl: "true" });
  });

  test("is away from the server", () => {
    expect(problems({ ...s3, remote: "local:/backups" })).toEqual([
      'remote must be a remote off the server, like sftp:backups or s3:bucket/folder, got "local:/backups"',
    ]);
  });

  test("by SFTP shows a key that is known", () => {
    expect(problems({ ...s3, remote: "sftp:backups", options: { host: "away" } })).toEqual([
      "options.known_hosts is missing, and without it another machine could impersonate that host; set it to the output of ssh-keyscan <host>, after comparing it with the host's real keys",
    ]);
  });

  test("never shows the value of an option that is wrong", () => {
    const wrong = problems({
      ...s3,
      options: { secret_access_key: "two\nlines", "Key-Id": "hush" },
    });
    expect(wrong).toEqual([
      "options.secret_access_key must be one line",
      "options.Key-Id must be an option of the rclone backend, spelled as in rclone's documentation, like access_key_id",
    ]);
  });

  test("is encrypted for public keys alone, and a private one is never shown", () => {
    const secret = "AGE-SECRET-KEY-1QQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQQ";
    const [problem = ""] = problems({ ...s3, recipients: [recipient, secret] });
    expect(problem).toMatch(/^recipients\.1 is a private key, which must never be on the server/);
    expect(problem).not.toContain("QQQQ");
    expect(problems({ ...s3, recipients: ["age1short"] })[0]).toMatch(
      /must be a public key of age .* got a text that begins with "age1short"$/,
    );
    expect(problems({ ...s3, recipients: [] })[0]).toMatch(/age-keygen/);
  });

  test.each([
    "pass",
    "secret_access_key",
    "key_pem",
    "token",
    "client_secret",
    "account_key",
    "key",
    "sas_url",
  ])("knows %s as an option that must be secret", (name) => {
    expect(isSecretOption(name)).toBe(true);
  });

  test.each(["access_key_id", "key_file", "host", "user", "endpoint", "known_hosts"])(
    "and %s as none",
    (name) => {
      expect(isSecretOption(name)).toBe(false);
    },
  );
});

describe("rclone's file of settings", () => {
  const backends = [
    { name: "s3", options: [{ name: "secret_access_key", isPassword: false }] },
    {
      name: "sftp",
      options: [
        { name: "key_pem", isPassword: false },
        { name: "host", isPassword: false },
      ],
    },
  ];

  test("has a key on one line, and the known hosts in a file of their own", () => {
    const options = {
      host: "away",
      key_pem: "-----BEGIN\nabc\n-----END\n",
      known_hosts: "away ssh-rsa A",
    };
    expect(renderRcloneConfig({ remote: "sftp:x", options }, "/known")).toBe(
      "[offsite]\ntype = sftp\nshell_type = none\nknown_hosts_file = /known\nhost = away\nkey_pem = -----BEGIN\\nabc\\n-----END\n",
    );
    expect(remoteProblems({ remote: "sftp:x", options }, backends)).toEqual([]);
  });

  test("is refused with a back end or an option that this rclone has not", () => {
    expect(remoteProblems({ remote: "sftpp:x", options: {} }, backends)).toEqual([
      'backups.offsite.remote: rclone has no backend "sftpp"; did you mean sftp? It has s3, sftp',
    ]);
    expect(
      remoteProblems({ remote: "s3:x", options: { secret_acess_key: "x" } }, backends),
    ).toEqual([
      "backups.offsite.options.secret_acess_key: rclone's backend s3 has no such option; did you mean secret_access_key?",
    ]);
  });
});

test("what is secret is in no digest of a schedule", () => {
  const request = (secret: string) =>
    digestedRequest(
      backupsRequestSchema.parse({
        ...{ server: "prod", jobs: {}, maintenance: {}, keep: {}, pins: [] },
        offsite: { ...s3, options: { secret_access_key: secret, region: "eu" } },
        alerts: {
          webhook: `https://x.example/${secret}`,
          email: { to: ["a@b.c"], from: "d@e.f", smtp: `smtp://u:${secret}@m` },
        },
      }),
    );
  expect(request("one-secret")).toBe(request("another"));
  expect(request("one-secret")).toContain("eu");
  expect(request("one-secret")).not.toContain("one-secret");
});

describe("the name of a copy", () => {
  test("tells its backup, and that of a half-made one tells none", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("2000-01-01"), max: new Date("2099-01-01"), noInvalidDate: true }),
        (date) => {
          const id = formatBackupId(date);
          expect(parseCopyName(copyName(id))).toBe(id);
          expect(parseCopyName(partialCopyName(id))).toBeUndefined();
        },
      ),
    );
  });

  test("and other files are no copies", () => {
    const files = [
      "notes.txt",
      "20261132T032900Z.tar.age",
      "20261121T032900Z.tar",
      "20261121T032900Z.tar.age",
    ];
    expect(completeCopies(files.map((name) => ({ name, bytes: 1 }))).map(({ id }) => id)).toEqual([
      "20261121T032900Z",
    ]);
  });
});

describe("what is copied", () => {
  const [a, b] = ["20261101T000000Z", "20261102T000000Z"] as const;
  const here = (id: string, copied?: number): CatalogueEntry => ({
    ...{ id, attempt: null, verification: null, pins: [] },
    backup: {
      server: "prod",
      kind: "production",
      job: null,
      postgres: "17",
      databases: [],
      bytes: 1,
      seconds: 1,
    },
    offsite:
      copied === undefined
        ? null
        : {
            result: "uploaded",
            remote: "",
            at: "2026-11-01T00:00:00Z",
            bytes: copied,
            sha256: null,
            text: "",
          },
  });
  const file = (id: string, bytes: number) => ({ name: copyName(id), bytes });
  const all = () => true;

  test("is what is not there as it was sent", () => {
    expect(pendingUploads([here(a), here(b)], [], all)).toEqual([a, b]);
    expect(pendingUploads([here(a, 5), here(b, 5)], [file(a, 5), file(b, 4)], all)).toEqual([b]);
    expect(pendingUploads([here(a, 5)], [{ name: partialCopyName(a), bytes: 5 }], all)).toEqual([
      a,
    ]);
    // A file of that name that nobody here has read back is no copy.
    expect(pendingUploads([here(a)], [file(a, 5)], all)).toEqual([a]);
  });

  test("is nothing that the rules would remove there at once", () => {
    expect(pendingUploads([here(a), here(b)], [], (id) => id === b)).toEqual([b]);
  });

  test("stays when nobody here knows it, and is remembered as verified after its backup is gone", () => {
    const copies = [{ id: a, bytes: 5 }];
    expect(offsiteCatalogue(copies, [], []).map(({ pins }) => pins)).toEqual([["no record here"]]);
    const verified: CatalogueEntry = {
      ...here(a, 5),
      verification: {
        checkedAt: "2026-11-01T00:00:00Z",
        result: "passed",
        from: "repository",
        restored: true,
        seconds: 1,
        text: "",
      },
    };
    const known = updateRecordedCopies(copies, [verified], []);
    expect(known).toMatchObject([{ id: a, bytes: 5, isVerified: true }]);
    expect(updateRecordedCopies(copies, [], known)).toEqual(known);
    const [entry] = offsiteCatalogue(copies, [], known);
    expect(entry).toMatchObject({ pins: [], verification: { result: "passed", restored: true } });
  });

  test("is nothing that was altered here, and what is remembered of its copy does not change", () => {
    const rejected: CatalogueEntry = {
      ...here(a),
      authenticity: { state: "rejected", manifest: "a".repeat(64), key: null, problem: "altered" },
    };
    expect(pendingUploads([rejected, here(b)], [], all)).toEqual([b]);
    const known = updateRecordedCopies([{ id: a, bytes: 5 }], [here(a, 5)], []);
    expect(updateRecordedCopies([{ id: a, bytes: 5 }], [rejected], known)).toEqual(known);
  });

  test("is told of when its backup has left, as what it was and who names it, and counts for nothing here", () => {
    const known = recordUploads([], [here(a, 5), here(b)]);
    // No copy of the other one is there: nothing is left of it.
    expect(known.map(({ id }) => id)).toEqual([a]);
    expect(offsiteOnlyEntries(known, [here(a, 5)], [])).toEqual([]);
    const [alone, ...more] = offsiteOnlyEntries(known, [], [{ backup: a, by: "staging" }]);
    expect(more).toEqual([]);
    expect(alone).toMatchObject({ id: a, backup: null, away: here(a).backup, pins: ["staging"] });
    const catalogue = alone ? [alone] : [];
    expect(newestVerified(catalogue, new Date("2030-01-01"))).toBeNull();
    expect(applyRetention(catalogue, {}, { now: new Date("2030-01-01") })).toEqual([]);
    expect(deletionProblems([a], catalogue)).toEqual([
      `${a} is off-site only; backups.offsite.keep determines when it expires`,
    ]);
  });
});

test("the size of an encrypted copy is never guessed too small", () => {
  // Measured: a tar of GNU tar has blocks of 512 bytes and records of 10 KiB, age a tag for each 64 KiB.
  fc.assert(
    fc.property(fc.array(fc.nat(10_000_000), { maxLength: 200 }), (sizes) => {
      const tar =
        10_240 *
        Math.ceil(
          sizes.reduce((sum, size) => sum + 512 + 512 * Math.ceil(size / 512), 1024) / 10_240,
        );
      const age = 200 + 16 * (Math.floor(tar / 65_536) + 1) + tar;
      expect(encryptedBytes(sizes.map((bytes) => ({ bytes })))).toBeGreaterThanOrEqual(age);
    }),
  );
});

describe("what rclone says", () => {
  test.each([
    [
      '2026/11/25 03:41:46 Failed to create file system for "x": NewFs: couldn\'t connect SSH: dial tcp 172.24.0.2:23: connect: connection refused',
      /^connection refused; start the service/,
    ],
    [
      "2026/11/25 03:41:49 Failed to rcat: SignatureDoesNotMatch: The request signature\n\tstatus code: 403, request id: , host id: ",
      /^it rejects the key/,
    ],
    [
      'Put mkParentDir failed: mkdir "/prod" failed: permission denied',
      /^access denied; grant read and write/,
    ],
    ["x: write failed: no space left on device", /^no space left on the remote/],
    [
      '2026/11/25 09:35:58 Failed to rcat with 2 errors: last error was: Update ReadFrom failed: sftp: "Failure" (SSH_FX_FAILURE)',
      /^the operation failed, which SFTP servers also report if their disk is full or read-only/,
    ],
    [
      'caused by: Get "http://away:22/x?delimiter=%2F": net/http: timeout awaiting response headers',
      /^no response; correct the address/,
    ],
    [
      "NewFs: couldn't connect SSH: ssh: handshake failed: read tcp 10.0.0.3:35026->10.0.0.2:22: i/o timeout",
      /^no response; correct the address/,
    ],
    [
      "NewFs: couldn't connect SSH: ssh: handshake failed: read tcp 10.0.0.3:50784->10.0.0.2:22: i/o timeout",
      /^no response; correct the address/,
    ],
    ["2026/11/25 03:41:45 ERROR : something new", /^something new$/],
    ["", /^rclone failed without a message$/],
  ])("%s", (stderr, text) => {
    expect(rcloneFailure(stderr)).toMatch(text);
  });
});

test("secrets are hidden, also each line of a key, and short ones hide nothing", () => {
  const key = "-----BEGIN KEY-----\nabcdefgh\n-----END KEY-----";
  expect(hideSecrets("could not parse line: abcdefgh in s3cr3t of ab", [key, "s3cr3t", "ab"])).toBe(
    "could not parse line: ••• in ••• of ab",
  );
});

describe("the parts of an upload to S3", () => {
  const gigabytes = (count: number): number => count * 2 ** 30;
  test.each([
    ["as rclone has them, for a small one", gigabytes(1), undefined, 5],
    ["larger, so that they are fewer than 10,000", gigabytes(1000), undefined, 114],
    ["as chunk_size says", gigabytes(1), "64Mi", undefined],
    ["as chunk_size says in another spelling", gigabytes(100), "16M", undefined],
    ["as chunk_size says in KiB", gigabytes(1), "8192", undefined],
    ["larger than chunk_size, where it would be too many", gigabytes(1000), "16Mi", 114],
    ["left to rclone where chunk_size is no size", gigabytes(1), "much", undefined],
  ] as const)("are %s", (_, bytes, configured, megabytes) => {
    expect(s3PartMegabytes(bytes, configured)).toBe(megabytes);
  });
});

test.each([
  ["10 MB/s", 10 * 2 ** 20],
  ["512kB / s", 512 * 2 ** 10],
  ["10 MB", undefined],
  ["fast", undefined],
])("a bandwidth: %s", (text, bytes) => {
  expect(parseBandwidth(text)).toBe(bytes);
});

test.each([
  ['sftp: "Permission denied" (SSH_FX_PERMISSION_DENIED)', true],
  ["Failed to deletefile: AccessDenied: Access Denied.\n\tstatus code: 403, request id: 1", true],
  ["couldn't delete: The operation is not allowed: object is WORM protected", true],
  ["dial tcp 10.0.0.1:22: connect: connection refused", false],
  ['sftp: "Failure" (SSH_FX_FAILURE)', false],
])("an operation that a remote does not allow: %s", (stderr, isDenied) => {
  expect(isDenial(stderr)).toBe(isDenied);
});
