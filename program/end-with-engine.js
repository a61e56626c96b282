// Ends a program whose engine is gone. The SDK would log each failed write to the closed pipe that it failed on, without end
// and faster than memory is freed.
"use strict";
const { readFileSync } = require("node:fs");

/** Milliseconds between two looks at the processes above this one. */
const interval = 500;

let isWatching = false;

/** Ends this process as soon as its pipes are closed, its language host has ended, or the engine above that. */
exports.endWithEngine = () => {
  if (isWatching) return;
  isWatching = true;
  for (const stream of [process.stdout, process.stderr]) stream.on("error", end);
  const host = process.ppid;
  const engine = parentOf(host);
  // A process whose parent has ended gets another one.
  const isEngineGone = () => parentOf(host) !== engine;
  setInterval(() => {
    if (process.ppid !== host || isEngineGone()) end();
  }, interval).unref();
  // The SDK may end the program before that, because it cannot reach the engine.
  process.on("exit", () => {
    if (isEngineGone()) endHost(host);
  });
};

/** Ends the language host, which would look for its engine only every few minutes. */
function endHost(pid) {
  try {
    const name = readFileSync(`/proc/${pid}/comm`, "utf8");
    if (name.startsWith("pulumi-lang")) process.kill(pid, "SIGTERM");
  } catch {
    // It has ended.
  }
}

function end() {
  process.exit(1);
}

/** The parent of a process; `undefined` where the system does not show it. */
function parentOf(pid) {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name, in parentheses, may contain anything; the state and the parent follow it.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1];
  } catch {
    return undefined;
  }
}
