/** Packs every public package as it would be published, with `workspace:` and `catalog:` replaced by versions. */
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { Glob } from 'bun'
import { packPlatforms } from './platform-packages.ts'
import { editManifest, editTarball, type Manifest, manifestOf, type PackedPackage, packFolder } from './tarball.ts'

const root = resolve(import.meta.dirname, '..')
export const nativeBuilds: string = join(root, 'packages/backend-node/build')

/**
 * Packs all public packages, and the native kernels for the platforms that have been built.
 *
 * @param folder where the tarballs go; emptied first
 * @param builds where the builds of the native kernels are
 * @returns the packages; a platform's comes before the one that has it as an optional dependency
 * @throws when packing fails or a tarball's manifest still holds a workspace protocol
 */
export function packPackages(folder: string, builds: string = nativeBuilds): PackedPackage[] {
  const out = resolve(folder)
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const manifests = [...new Glob('{packages,apps}/*/package.json').scanSync(root)].sort()
  return manifests.flatMap(path => {
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as Manifest
    if (manifest.private) return []
    const { name, version } = manifest
    const tarball = packFolder(join(root, dirname(path)), out)
    editTarball(tarball, content => copyFileSync(join(root, 'LICENSE'), join(content, 'LICENSE')))
    if (/"(workspace|catalog):/.test(manifestOf(tarball)))
      throw new Error(`${tarball} still names a workspace: it must not be published.`)
    const packed = { name, version, tarball }
    return name === '@vitral/backend-node' ? [...withPlatforms(packed, builds, out), packed] : [packed]
  })
}

/** Packs the platforms' packages, and makes them optional dependencies of the one they belong to. */
function withPlatforms(backend: PackedPackage, builds: string, out: string): PackedPackage[] {
  const platforms = packPlatforms(backend, builds, out)
  const optionalDependencies = Object.fromEntries(platforms.map(({ name, version }) => [name, version]))
  editManifest(backend.tarball, manifest => ({ ...manifest, optionalDependencies }))
  return platforms
}

if (import.meta.main)
  for (const { name, version, tarball } of packPackages('.release')) console.log(`${name} ${version} ${tarball}`)
