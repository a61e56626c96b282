import { chainProblems, gapProblems, orderScripts } from "./chain";
import type { AdoptedEntry, Ledger, LedgerEntry } from "./ledger";
import type { PackageVersion, ScriptState, UpgradeRules, VersionSource } from "./protocol";
import { scriptLabel, type UpgradeScript } from "./script";
import { compareVersions, isVersion, versionKey } from "./version";

/** The upgrade of data to the data model of the code. */
export interface UpgradePlan {
  /** In the order of application; empty when there is a problem. */
  readonly pending: readonly UpgradeScript[];
  /** Every script of the code or the ledger. */
  readonly states: readonly ScriptState[];
  /** Version of each package's data before the upgrade. */
  readonly versions: readonly PackageVersion[];
  /** Why nothing can be applied. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Compares the scripts of the code with the ledgers of the data.
 *
 * The version of a package's data is the highest in its ledger, another tool's ledger, the query's result and the baseline,
 * so that nothing is applied twice. Pending are the scripts that begin at this or a higher version and are not in the ledger.
 */
export function planUpgrades(
  scripts: readonly UpgradeScript[],
  ledger: Ledger,
  rules: UpgradeRules,
): UpgradePlan {
  const ofCode = new Set(scripts.map((script) => script.package));
  const known = orderScripts([...scripts, ...ledger.entries], rules.order);
  const plans = [...new Set(known.map((script) => script.package))].map((name) =>
    planPackage(
      name,
      orderScripts(scripts.filter((script) => script.package === name)),
      ledger,
      rules,
      ofCode.size === 1,
    ),
  );
  const problems = [...failedMigrations(ledger), ...plans.flatMap((plan) => plan.problems)];
  return {
    pending: problems.length > 0 ? [] : plans.flatMap((plan) => plan.pending),
    states: plans.flatMap((plan) => plan.states),
    versions: plans.flatMap((plan) => plan.versions),
    problems,
    notes: plans.flatMap((plan) => plan.notes),
  };
}

/** Problems that do not depend on the version of the data: edited scripts, and failed migrations of another tool. */
export function versionIndependentProblems(
  scripts: readonly UpgradeScript[],
  ledger: Ledger,
): string[] {
  const changed = orderScripts(scripts).flatMap((script) => {
    const entry = ledger.entries.find(
      (one) => one.package === script.package && keyOf(one) === keyOf(script),
    );
    return entry && entry.sha256 !== script.sha256 ? [edited(script, entry)] : [];
  });
  return [...failedMigrations(ledger), ...changed];
}

function planPackage(
  name: string,
  scripts: readonly UpgradeScript[],
  ledger: Ledger,
  rules: UpgradeRules,
  isOnlyPackage: boolean,
): UpgradePlan {
  const entries = ledger.entries.filter((entry) => entry.package === name);
  const adopted = adoptedScripts(scripts, ledger.adopted);
  const known = versionsOf(name, { ...ledger, entries }, rules, adopted, isOnlyPackage);
  const [current] = known.sort((a, b) => compareVersions(b.version, a.version));
  if (!current) return unknownVersion(name, scripts);

  const problems: string[] = [];
  const pending: UpgradeScript[] = [];
  const states: ScriptState[] = [];
  const applied = new Map(entries.map((entry) => [keyOf(entry), entry]));
  const [first] = orderScripts(entries);
  const last = orderScripts(entries).at(-1);
  for (const script of scripts) {
    const entry = applied.get(keyOf(script));
    if (entry) {
      states.push(appliedState(script, entry));
      if (entry.sha256 !== script.sha256) problems.push(edited(script, entry));
    } else if (adopted.has(script)) {
      states.push(stateOf(script, "adopted"));
    } else if (compareVersions(script.from, current.version) >= 0) {
      pending.push(script);
      states.push(stateOf(script, "pending"));
    } else {
      states.push(stateOf(script, "before"));
      problems.push(...misplaced(script, current, first, last));
    }
  }
  const absent = entries.filter(
    (entry) => !scripts.some((script) => keyOf(script) === keyOf(entry)),
  );
  const [next] = pending;
  // Other problems can explain a gap before the first pending script.
  if (next && problems.length === 0)
    problems.push(...gapProblems(next, current.version, rules.gaps));
  problems.push(...chainProblems(pending, rules.gaps));
  return {
    pending,
    states: orderScripts([
      ...states,
      ...absent.map((entry) => appliedState(entry, entry, "unknown")),
    ]),
    versions: [{ package: name, ...current }],
    problems,
    notes: absent.map(
      (entry) =>
        `${scriptLabel(entry)} was applied on ${entry.appliedBy}, but is missing in this code`,
    ),
  };
}

interface SourcedVersion {
  readonly version: string;
  readonly source: VersionSource;
}

/** All known versions of a package's data; for adopted scripts, the version that the script upgrades to. */
function versionsOf(
  name: string,
  { entries, adopted, queried }: Ledger,
  { baseline, baselines = {} }: UpgradeRules,
  byName: ReadonlyMap<UpgradeScript, AdoptedEntry>,
  isOnlyPackage: boolean,
): SourcedVersion[] {
  const named = new Set(byName.values());
  const own = Object.hasOwn(baselines, name) ? baselines[name] : baseline;
  return [
    ...entries.map(({ to }): SourcedVersion => ({ version: to, source: "ledger" })),
    ...[...byName].map(([{ to }, { tool }]): SourcedVersion => ({ version: to, source: tool })),
    ...adopted.flatMap((entry): SourcedVersion[] => {
      const { version, tool, succeeded } = entry;
      const usable = isOnlyPackage && succeeded && version !== undefined && isVersion(version);
      return usable && !named.has(entry) ? [{ version, source: tool }] : [];
    }),
    ...queried
      .filter((row) => (row.package === undefined ? isOnlyPackage : row.package === name))
      .map(({ version }): SourcedVersion => ({ version, source: "query" })),
    ...(own === undefined ? [] : [{ version: own, source: "baseline" } as const]),
  ];
}

/** Scripts that another tool has applied, by file name. */
function adoptedScripts(
  scripts: readonly UpgradeScript[],
  adopted: readonly AdoptedEntry[],
): Map<UpgradeScript, AdoptedEntry> {
  const found = new Map<UpgradeScript, AdoptedEntry>();
  for (const script of scripts) {
    const bare = script.name.replace(/\.sql$/, "");
    const entry = adopted.find(({ name, succeeded }) => succeeded && name === bare);
    if (entry) found.set(script, entry);
  }
  return found;
}

/** Problems of a script that is not in the ledger and begins at a lower version than the data's. */
function misplaced(
  script: UpgradeScript,
  { version }: SourcedVersion,
  first: LedgerEntry | undefined,
  last: LedgerEntry | undefined,
): string[] {
  if (compareVersions(script.to, version) > 0) {
    return [
      `the data is at ${version}, in the middle of ${scriptLabel(script)}, which cannot be applied in part`,
    ];
  }
  const isBetween =
    first !== undefined &&
    last !== undefined &&
    compareVersions(script.from, first.from) >= 0 &&
    compareVersions(script.to, last.to) <= 0;
  if (!isBetween) return [];
  return [
    `${scriptLabel(script)} was never applied, and the data is already at ${version}; rename the script to a higher version`,
  ];
}

function unknownVersion(name: string, scripts: readonly UpgradeScript[]): UpgradePlan {
  const [first] = scripts;
  const example = first?.from ?? "1.0";
  return {
    pending: [],
    states: scripts.map((script) => stateOf(script, "pending")),
    versions: [],
    problems: [
      `the version of ${name} in the data is unknown; set upgrades.baseline to the version of data without a ledger, e.g. "${example}", or upgrades.version to a query for it`,
    ],
    notes: [],
  };
}

function failedMigrations({ adopted }: Ledger): string[] {
  return adopted
    .filter(({ succeeded }) => !succeeded)
    .map(
      ({ tool, name, version }) =>
        `migration ${name ?? version ?? ""} of ${tool} failed halfway; repair it with ${tool} on the source server first`,
    );
}

function edited(script: UpgradeScript, { appliedAt, appliedBy, sha256 }: LedgerEntry): string {
  return `${scriptLabel(script)} was changed after it was applied on ${appliedBy} at ${appliedAt} (SHA-256 then ${sha256.slice(0, 12)}…, now ${script.sha256.slice(0, 12)}…); restore its contents, and write a new script for the change`;
}

function keyOf({ from, to }: Pick<UpgradeScript, "from" | "to">): string {
  return `${versionKey(from)} ${versionKey(to)}`;
}

function stateOf(
  { package: owner, from, to, name }: Omit<UpgradeScript, "text" | "sha256">,
  state: ScriptState["state"],
): ScriptState {
  return { package: owner, from, to, name, state };
}

function appliedState(
  script: Omit<UpgradeScript, "text" | "sha256">,
  { appliedAt, appliedBy, seconds }: LedgerEntry,
  state: ScriptState["state"] = "applied",
): ScriptState {
  return { ...stateOf(script, state), appliedAt, appliedBy, seconds };
}
