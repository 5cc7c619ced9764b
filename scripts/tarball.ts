/** npm tarballs: made from a folder, looked into, and changed. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

export interface PackedPackage {
  name: string
  version: string
  tarball: string
}

/** What these scripts read and write of a package.json; the rest of it stays as it is. */
export interface Manifest {
  name: string
  version: string
  private?: boolean
  optionalDependencies?: Record<string, string>
}

/**
 * Packs with `bun pm pack`: npm's own packing, and changesets', would leave `workspace:*` in the manifest.
 *
 * @param folder has the package.json
 * @param out where the tarball goes
 * @returns the tarball's path
 */
export function packFolder(folder: string, out: string): string {
  const printed = capture(process.execPath, ['pm', 'pack', '--quiet', '--ignore-scripts', '--destination', out], folder)
  return join(out, basename(printed.trim().split('\n').at(-1) ?? ''))
}

/** The package.json inside a tarball, as text. */
export function manifestOf(tarball: string): string {
  return capture('tar', ['xzOf', tarball, 'package/package.json'])
}

/** Packs a tarball again with other files. */
export function editTarball(tarball: string, edit: (folder: string) => void): void {
  const aside = mkdtempSync(join(tmpdir(), 'vitral-pack-'))
  try {
    capture('tar', ['xzf', tarball, '-C', aside])
    edit(join(aside, 'package'))
    packFolder(join(aside, 'package'), dirname(tarball))
  } finally {
    rmSync(aside, { recursive: true })
  }
}

/** Packs a tarball again with another package.json. */
export const editManifest = (tarball: string, edit: (manifest: Manifest) => Manifest): void =>
  editTarball(tarball, folder => {
    const path = join(folder, 'package.json')
    const manifest = edit(JSON.parse(readFileSync(path, 'utf8')) as Manifest)
    writeFileSync(path, `${JSON.stringify(manifest, null, 2)}\n`)
  })

function capture(program: string, args: string[], cwd?: string): string {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd, encoding: 'utf8' })
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} failed${cwd ? ` in ${cwd}` : ''}:\n${stderr}`)
  return stdout
}
