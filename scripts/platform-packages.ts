/**
 * The compiled kernels as npm packages, one for each platform. @vitral/backend-node names them all as optional
 * dependencies, and npm installs the one whose os, cpu and libc are the machine's: nothing is compiled or downloaded.
 *
 * They exist as tarballs only. In this repository no package.json names them: an install from the lockfile would look
 * for them in the registry, before they are published and on machines that compile the kernels themselves.
 */
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type PackedPackage, packFolder } from './tarball.ts'

/** Which machines a package is for, as npm asks: by the names of process.platform and process.arch. */
const platforms: Record<string, { os: string[]; cpu: string[]; libc?: string[] }> = {
  'linux-x64': { os: ['linux'], cpu: ['x64'], libc: ['glibc'] },
  'linux-arm64': { os: ['linux'], cpu: ['arm64'], libc: ['glibc'] },
  'darwin-arm64': { os: ['darwin'], cpu: ['arm64'] },
  'darwin-x64': { os: ['darwin'], cpu: ['x64'] },
}

const root = resolve(import.meta.dirname, '..')

/**
 * Packs a package for each platform that has been built.
 *
 * @param backend @vitral/backend-node, whose name and version they take
 * @param builds has `<platform>/vitral.node`, as `vitral-build-native` leaves it; builds of other machines are put beside
 * @param out where the tarballs go
 */
export function packPlatforms(backend: Omit<PackedPackage, 'tarball'>, builds: string, out: string): PackedPackage[] {
  const { name, version } = backend
  return Object.entries(platforms).flatMap(([platform, machines]) => {
    const binary = join(builds, platform, 'vitral.node')
    if (!existsSync(binary)) return []
    const folder = mkdtempSync(join(tmpdir(), 'vitral-platform-'))
    try {
      const manifest = {
        name: `${name}-${platform}`,
        version,
        description: `The kernels of ${name}, compiled for ${platform}`,
        license: 'MIT',
        ...machines,
        main: './vitral.node',
        files: ['vitral.node'],
        publishConfig: { access: 'public' },
      }
      writeFileSync(join(folder, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
      writeFileSync(
        join(folder, 'README.md'),
        `${manifest.description}. Install ${name}: it takes this package along.\n`,
      )
      copyFileSync(join(root, 'LICENSE'), join(folder, 'LICENSE'))
      copyFileSync(binary, join(folder, 'vitral.node'))
      return [{ name: manifest.name, version, tarball: packFolder(folder, out) }]
    } finally {
      rmSync(folder, { recursive: true })
    }
  })
}

/** The platforms that have no build, for which a release would leave users to compile. */
export function missingPlatforms(builds: string): string[] {
  return Object.keys(platforms).filter(platform => !existsSync(join(builds, platform, 'vitral.node')))
}
