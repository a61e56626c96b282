import { chainProblems, gapProblems, orderScripts } from "./chain";
import type { AdoptedEntry, Ledger, LedgerEntry } from "./ledger";
import type { PackageVersion, ScriptState, UpgradeRules, VersionSource } from "./protocol";
import { scriptLabel, type UpgradeScript } from "./script";
import { compareVersions, isVersion, versionKey } from "./version";

/** What is to be done to bring data to the code's data model. */
export interface UpgradePlan {
  /** In the order in which they are applied; none when there is a problem. */
  readonly pending: readonly UpgradeScript[];
  /** Every script, also those that only the ledger knows. */
  readonly states: readonly ScriptState[];
  /** Where the data of each package is before. */
  readonly versions: readonly PackageVersion[];
  /** Why nothing may be applied. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

/**
 * Compares the scripts of the code with what the data has been through.
 *
 * The version of a package's data is the highest that its ledger, another tool's ledger, the query and the baseline
 * tell: so nothing is applied twice. Pending is what begins there or behind and is not in the ledger.
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
  const problems = [...failedElsewhere(ledger), ...plans.flatMap((plan) => plan.problems)];
  return {
    pending: problems.length > 0 ? [] : plans.flatMap((plan) => plan.pending),
    states: plans.flatMap((plan) => plan.states),
    versions: plans.flatMap((plan) => plan.versions),
    problems,
    notes: plans.flatMap((plan) => plan.notes),
  };
}

/** What makes it impossible whatever version the data is at: scripts that were edited, and another tool's failure. */
export function certainProblems(scripts: readonly UpgradeScript[], ledger: Ledger): string[] {
  const changed = orderScripts(scripts).flatMap((script) => {
    const entry = ledger.entries.find(
      (one) => one.package === script.package && keyOf(one) === keyOf(script),
    );
    return entry && entry.sha256 !== script.sha256 ? [edited(script, entry)] : [];
  });
  return [...failedElsewhere(ledger), ...changed];
}

function planPackage(
  name: string,
  scripts: readonly UpgradeScript[],
  ledger: Ledger,
  rules: UpgradeRules,
  isOnly: boolean,
): UpgradePlan {
  const entries = ledger.entries.filter((entry) => entry.package === name);
  const adopted = adoptedScripts(scripts, ledger.adopted);
  const known = versionsOf(name, { ...ledger, entries }, rules, adopted, isOnly);
  const [current] = known.sort((a, b) => compareVersions(b.version, a.version));
  if (!current) return unknownVersion(name, scripts);

  const problems: string[] = [];
  const pending: UpgradeScript[] = [];
  const states: ScriptState[] = [];
  const ours = new Map(entries.map((entry) => [keyOf(entry), entry]));
  const [first] = orderScripts(entries);
  const last = orderScripts(entries).at(-1);
  for (const script of scripts) {
    const entry = ours.get(keyOf(script));
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
  // The first script to come may begin elsewhere because of what is told already.
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
        `${scriptLabel(entry)} was applied on ${entry.appliedBy}, and this code has not got it`,
    ),
  };
}

interface Known {
  readonly version: string;
  readonly source: VersionSource;
}

/** All that tells of a package's version; a ledger that names scripts tells by their names. */
function versionsOf(
  name: string,
  { entries, adopted, told }: Ledger,
  { baseline, baselines = {} }: UpgradeRules,
  byName: ReadonlyMap<UpgradeScript, AdoptedEntry>,
  isOnly: boolean,
): Known[] {
  const named = new Set(byName.values());
  const own = Object.hasOwn(baselines, name) ? baselines[name] : baseline;
  return [
    ...entries.map(({ to }): Known => ({ version: to, source: "ledger" })),
    ...[...byName].map(([{ to }, { tool }]): Known => ({ version: to, source: tool })),
    ...adopted.flatMap((entry): Known[] => {
      const { version, tool, succeeded } = entry;
      const usable = isOnly && succeeded && version !== undefined && isVersion(version);
      return usable && !named.has(entry) ? [{ version, source: tool }] : [];
    }),
    ...told
      .filter((row) => (row.package === undefined ? isOnly : row.package === name))
      .map(({ version }): Known => ({ version, source: "query" })),
    ...(own === undefined ? [] : [{ version: own, source: "baseline" } as const]),
  ];
}

/** Scripts that another tool has applied under their own names. */
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

/** What is wrong with a script that is not in the ledger and does not begin behind the data's version. */
function misplaced(
  script: UpgradeScript,
  { version }: Known,
  first: LedgerEntry | undefined,
  last: LedgerEntry | undefined,
): string[] {
  if (compareVersions(script.to, version) > 0) {
    return [
      `the data is at ${version}, in the middle of ${scriptLabel(script)}, which cannot be applied by half`,
    ];
  }
  const isBetween =
    first !== undefined &&
    last !== undefined &&
    compareVersions(script.from, first.from) >= 0 &&
    compareVersions(script.to, last.to) <= 0;
  if (!isBetween) return [];
  return [
    `${scriptLabel(script)} was never applied, and the data is past it, at ${version}; give it a higher version`,
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
      `the data does not tell which version of ${name} it is at; set upgrades.baseline to the version of data without a ledger, e.g. "${example}", or upgrades.version to a query for it`,
    ],
    notes: [],
  };
}

function failedElsewhere({ adopted }: Ledger): string[] {
  return adopted
    .filter(({ succeeded }) => !succeeded)
    .map(
      ({ tool, name, version }) =>
        `${tool} says that its migration ${name ?? version ?? ""} failed half-way; repair that first, with ${tool} on the server the data comes from`,
    );
}

function edited(script: UpgradeScript, { appliedAt, appliedBy, sha256 }: LedgerEntry): string {
  return `${scriptLabel(script)} was changed after it had been applied on ${appliedBy} at ${appliedAt} (SHA-256 then ${sha256.slice(0, 12)}…, now ${script.sha256.slice(0, 12)}…); put it back as it was, and write a new script for what is to change`;
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
