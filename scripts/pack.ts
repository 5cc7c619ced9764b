/** Packs every public package as it would be published, with `workspace:` and `catalog:` replaced by versions. */
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { Glob } from 'bun'

export interface PackedPackage {
  name: string
  version: string
  tarball: string
}

/**
 * Packs with `bun pm pack`: npm's own packing, and changesets', would leave `workspace:*` in the manifest.
 *
 * @param folder where the tarballs go; emptied first
 * @throws when packing fails or a tarball's manifest still holds a workspace protocol
 */
export function packPackages(folder: string): PackedPackage[] {
  const root = resolve(import.meta.dirname, '..')
  const out = resolve(folder)
  rmSync(out, { recursive: true, force: true })
  mkdirSync(out, { recursive: true })
  const manifests = [...new Glob('{packages,apps}/*/package.json').scanSync(root)].sort()
  return manifests.flatMap(path => {
    const manifest = JSON.parse(readFileSync(join(root, path), 'utf8')) as {
      name: string
      version: string
      private?: boolean
    }
    if (manifest.private) return []
    const packing = ['pm', 'pack', '--quiet', '--ignore-scripts', '--destination', out]
    const printed = capture(process.execPath, packing, join(root, dirname(path)))
    const tarball = join(out, basename(printed.trim().split('\n').at(-1) ?? ''))
    const packed = capture('tar', ['xzOf', tarball, 'package/package.json'], root)
    if (/"(workspace|catalog):/.test(packed))
      throw new Error(`${tarball} still names a workspace: it must not be published.`)
    return [{ name: manifest.name, version: manifest.version, tarball }]
  })
}

function capture(program: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed in ${cwd}:\n${stderr}`)
  return stdout
}

if (import.meta.main)
  for (const { name, version, tarball } of packPackages('.release')) console.log(`${name} ${version} ${tarball}`)
