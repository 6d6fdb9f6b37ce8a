/* Writes how many tests passed, failed and were skipped to the file that TEST_COUNTS names: what `.ci/run` ends with. */
const { writeFileSync } = require('node:fs');

module.exports = class Counts {
  onRunComplete(_contexts, results) {
    const path = process.env.TEST_COUNTS;
    if (!path) return;
    // A file that could not be run has no failed test to count, and is a failure all the same.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    writeFileSync(path, `tests: ${results.numPassedTests} passed, ${failed} failed, ${skipped} skipped\n`);
  }
};
