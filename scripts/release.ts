/**
 * Releases what `changeset version` has versioned: packs every public package and publishes those npm does not have yet.
 *
 *   bun changeset version && bun install && bun scripts/release.ts && bun changeset git-tag
 */
import { spawnSync } from 'node:child_process'
import { nativeBuilds, packPackages } from './pack.ts'
import { missingPlatforms } from './platform-packages.ts'

const missing = missingPlatforms(nativeBuilds)
if (missing.length > 0)
  console.warn(
    `No native build for ${missing.join(', ')}: who installs there has to compile. To have them in this release, run ` +
      `'bun run build' on such machines and put their build/<platform>/vitral.node into ${nativeBuilds}.`,
  )

for (const { name, version, tarball } of packPackages('.release')) {
  console.log(`Publishing ${name}@${version}`)
  // A version that is already there is passed over, so a release that broke off can be run again.
  const args = ['publish', tarball, '--access', 'public', '--tolerate-republish']
  const { status } = spawnSync(process.execPath, args, { stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
