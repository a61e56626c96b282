import type { Reporter, TestModule } from "vitest/node";

/** Names each test that passed only when it was tried again: a defect of the test or of what it tests, to be mended. */
export default class SecondTries implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    for (const module of modules)
      for (const test of module.children.allTests()) {
        if (test.diagnostic()?.flaky !== true) continue;
        console.log(`passed only when tried again: ${module.relativeModuleId} > ${test.fullName}`);
        for (const { message } of test.result().errors ?? []) console.log(`  first: ${message}`);
      }
  }
}
