// Loaded into a process with --import: at its end it writes to a file what it used.
import { writeFileSync } from 'node:fs';

process.on('exit', () => {
  const path = process.env.MHE_USAGE_FILE;
  if (path === undefined) return;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const usage = { peakBytes: maxRSS * 1024, cpuSeconds: (userCPUTime + systemCPUTime) / 1e6 };
  writeFileSync(path, JSON.stringify(usage));
});
