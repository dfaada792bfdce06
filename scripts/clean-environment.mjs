/** What npm may hand on to another package manager: how to reach the registry. */
const registrySettings =
  /^npm_config_(registry|proxy|https?[-_]proxy|noproxy|ca|cafile|strict[-_]ssl|userconfig|globalconfig|cache|@.+|\/\/.+)$/i;

/**
 * The environment without what `npm run` adds to it (`npm_config_prefix`, `npm_config_ignore_scripts`,
 * `npm_package_*`, ...): pnpm reads those variables as its own settings. Without `NODE_ENV` too, because pnpm
 * leaves out devDependencies where that says `production`.
 *
 * @returns {NodeJS.ProcessEnv}
 */
export function cleanEnvironment() {
  const kept = Object.entries(process.env).filter(
    ([name]) => registrySettings.test(name) || !/^(npm_.*|INIT_CWD|NODE_ENV)$/i.test(name),
  );
  return { ...Object.fromEntries(kept), TURBO_TELEMETRY_DISABLED: '1' };
}
