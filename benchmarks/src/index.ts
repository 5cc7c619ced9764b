/** The command `bun run bench`: measures cases side by side with peers and writes them down. */
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { deviceInfo } from '@vitral/backend-node'
import { allCases } from './all-cases.ts'
import { describeMachine } from './machine.ts'
import { writeResults } from './results-file.ts'

const help = `Usage: bun run bench [CASE…] [OPTIONS]

Measures Vitral beside its peers in one run, and writes benchmarks/RESULTS.md. CASE is a name, or a part of several names,
such as webgpu; without one, all are measured.

Cases
${Object.entries(allCases)
  .map(([name, { summary }]) => `  ${name.padEnd(30)}${summary}`)
  .join('\n')}

Options
  --rounds N   rounds that count; by default what the case says
  --slow       the contestants that take minutes, too
  --json       the results as JSON on standard output, instead of tables
  --help       this text

Environment
  BENCH_PYTHON  the Python of the PyTorch peers (/usr/bin/python3)
  BENCH_NODE    the Node of the WebAssembly contestants (the one on the PATH)
  BENCH_BEFORE  another checkout, installed and built, whose native Vitral takes part beside this one
  VITRAL_ISA    avx2: as on a machine without AVX-512; PyTorch is held to the same instructions, and who cannot be is left out`

const resultsFile = fileURLToPath(new URL('../RESULTS.md', import.meta.url))

/** @throws when no case has the name, or has it in its own */
function casesNamed(name: string): string[] {
  if (Object.hasOwn(allCases, name)) return [name]
  const names = Object.keys(allCases).filter(other => other.includes(name))
  if (names.length > 0) return names
  throw new Error(`There is no case '${name}'; there are ${Object.keys(allCases).join(', ')}.`)
}

async function main(args: string[]): Promise<void> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      rounds: { type: 'string' },
      slow: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  if (values.help) return console.log(help)
  const rounds = values.rounds === undefined ? undefined : Number(values.rounds)
  if (rounds !== undefined && !(Number.isInteger(rounds) && rounds > 0))
    throw new Error(`--rounds is '${values.rounds}'; expected a whole number of at least 1.`)
  const names = positionals.flatMap(casesNamed)
  const chosen = Object.entries(allCases).filter(([name]) => positionals.length === 0 || names.includes(name))
  const { instructionSet } = deviceInfo()
  const wanted = process.env.VITRAL_ISA
  const results: Record<string, unknown> = {}
  for (const [name, benchmark] of chosen) {
    const { result, report } = await benchmark.measure({
      rounds: rounds ?? benchmark.rounds,
      slow: values.slow,
      log: line => console.error(`${name}: ${line}`),
    })
    const body = report({
      summary: benchmark.summary,
      command: [
        ...(wanted ? [`VITRAL_ISA=${wanted}`] : []),
        ...(process.env.BENCH_NODE ? ['BENCH_NODE=NODE'] : []),
        ...(process.env.BENCH_BEFORE ? ['BENCH_BEFORE=CHECKOUT'] : []),
        'bun run bench',
        ...args,
      ].join(' '),
      date: new Date(),
      machine: describeMachine(instructionSet),
    })
    const section = `${name} (${instructionSet})${process.env.BENCH_BEFORE ? ', beside an earlier build' : ''}`
    await writeResults(resultsFile, { name: section, body })
    results[name] = result
    if (!values.json) console.log(`\n## ${section}\n\n${body}\n`)
  }
  if (values.json) console.log(JSON.stringify(results, null, 2))
}

// Ending in order removes the models; the contestants end when their input does.
for (const [signal, code] of Object.entries({ SIGINT: 130, SIGTERM: 143 }))
  process.once(signal, () => process.exit(code))

try {
  await main(process.argv.slice(2))
} catch (error) {
  console.error(`bench: ${(error as Error).message}`)
  process.exitCode = 1
}
