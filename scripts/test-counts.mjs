import { existsSync, readFileSync } from 'node:fs';

/**
 * Counts the tests of a report that vitest's `json` reporter wrote. A file that could not be loaded, or failed
 * outside its tests, counts as one failed test.
 *
 * @param {string} path
 * @returns {{ passed: number, failed: number, skipped: number }} zeros where there is no report.
 */
export function testCounts(path) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  if (!existsSync(path)) return counts;
  /** @type {{ testResults: { status: string, assertionResults: { status: string }[] }[] }} */
  const report = JSON.parse(readFileSync(path, 'utf8'));
  for (const file of report.testResults) {
    const statuses = file.assertionResults.map((test) => test.status);
    const failed = statuses.filter((status) => status === 'failed').length;
    const passed = statuses.filter((status) => status === 'passed').length;
    counts.passed += passed;
    counts.failed += file.status === 'failed' ? Math.max(failed, 1) : failed;
    counts.skipped += statuses.length - passed - failed;
  }
  return counts;
}
