/** A Slurm of one's own on this machine, with two nodes that both are it: munged, slurmctld and two slurmd. */
import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePort } from '../src/ddp/free-port.ts'

export interface Slurm {
  /** For srun and salloc. */
  env: Record<string, string>
  stop(): Promise<void>
}

const programs = ['munged', 'slurmctld', 'slurmd', 'srun', 'salloc', 'sinfo']
const nodes = ['node1', 'node2']

/** Why it cannot be started here; nothing where it can. On Debian: apt-get install slurm-wlm munge. */
export function whyNoSlurm(): string | undefined {
  if (process.platform !== 'linux') return 'Slurm needs Linux'
  const path = `${process.env.PATH}:/usr/sbin:/sbin`
  const lacking = programs.filter(name => !Bun.which(name, { PATH: path }))
  if (lacking.length > 0) return `${lacking.join(', ')} cannot be found (Debian: slurm-wlm and munge)`
  return process.getuid?.() === 0 ? undefined : 'its daemons want root'
}

/** @throws with the end of the daemons' logs where they do not come up */
export async function startSlurm(): Promise<Slurm> {
  const folder = mkdtempSync(join(tmpdir(), 'vitral-slurm-'))
  chmodSync(folder, 0o755)
  mkdirSync(join(folder, 'state'))
  const env = { PATH: `${process.env.PATH}:/usr/sbin:/sbin`, SLURM_CONF: join(folder, 'slurm.conf') }
  const run = (command: string, ...args: string[]): string =>
    spawnSync(command, args, { env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'ignore'], encoding: 'utf8' })
      .stdout
  const stop = async (): Promise<void> => {
    const daemons = [...nodes.map(node => `slurmd-${node}`), 'slurmctld', 'munged']
    const pids = daemons.flatMap(name => {
      const file = join(folder, `${name}.pid`)
      return existsSync(file) ? Number(readFileSync(file, 'utf8')) : []
    })
    for (const pid of pids) if (pid > 1 && existsSync(`/proc/${pid}`)) process.kill(pid, 'SIGTERM')
    while (pids.some(pid => existsSync(`/proc/${pid}`))) await Bun.sleep(50)
    rmSync(folder, { recursive: true, force: true })
  }
  writeFileSync(join(folder, 'key'), crypto.getRandomValues(new Uint8Array(1024)), { mode: 0o400 })
  writeFileSync(env.SLURM_CONF, await configuration(folder))
  const munge = { 'key-file': 'key', socket: 'socket', 'pid-file': 'munged.pid', 'log-file': 'munged.log' }
  const paths = Object.entries({ ...munge, 'seed-file': 'seed' }).map(([name, file]) => `--${name}=${folder}/${file}`)
  run('munged', '--force', ...paths)
  run('slurmctld', '-c')
  for (const node of nodes) run('slurmd', '-N', node)
  for (let look = 0; run('sinfo', '-h', '-o', '%t %D').trim() !== `idle ${nodes.length}`; look++) {
    if (look === 300) {
      const log = readFileSync(join(folder, 'slurmctld.log'), 'utf8').slice(-1000)
      await stop()
      throw new Error(`Slurm's nodes have not come up: ${log}`)
    }
    await Bun.sleep(200)
  }
  return { env, stop }
}

async function configuration(folder: string): Promise<string> {
  const host = hostname().split('.')[0]
  const ports = await Promise.all(nodes.map(freePort))
  return `
ClusterName=vitral
SlurmctldHost=${host}(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=${folder}/socket
StateSaveLocation=${folder}/state
SlurmdSpoolDir=${folder}/spool-%n
SlurmctldPidFile=${folder}/slurmctld.pid
SlurmdPidFile=${folder}/slurmd-%n.pid
SlurmctldLogFile=${folder}/slurmctld.log
SlurmdLogFile=${folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
ReturnToService=2
SlurmctldPort=${await freePort()}
${nodes.map((node, i) => `NodeName=${node} NodeHostname=${host} NodeAddr=127.0.0.1 Port=${ports[i]} CPUs=2 State=UNKNOWN`).join('\n')}
PartitionName=main Nodes=${nodes} Default=YES MaxTime=INFINITE State=UP
`
}
