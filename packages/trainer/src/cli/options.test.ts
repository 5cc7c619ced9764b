/** Options of a command: what is read of them, what is refused, and the help that the same table gives. */
import { describe, expect, test } from 'bun:test'
import { helpText } from './help.ts'
import { choice, flag, integer, parse, repeated, required, text } from './options.ts'

const table = {
  model: required({ value: 'FOLDER', help: 'a model folder' }),
  steps: integer({ default: 100, least: 10, help: 'how many there are' }),
  port: integer({ least: 0, most: 65535, help: 'port to listen on' }),
  dtype: choice(['float32', 'float16'], { default: 'float32', help: 'of the weights' }),
  set: repeated({ value: 'KEY=VALUE', help: 'sets a field' }),
  out: text({ value: 'FILE', help: 'where to' }),
  train: flag('a training step'),
  dashboard: {
    ...integer({ least: 0, help: 'shows the run on a page' }),
    ...{ value: '[PORT]', standard: '6060', implied: { value: '6060', unless: /^\d+$/ } },
  },
}

describe('parse', () => {
  test('gives numbers, names, lists and flags, with the defaults of the table', () => {
    const { values, positionals } = parse(['a', '--model', 'm', '--port', '0', '--set', 'x=1', '--set', 'y=2'], table)
    expect(positionals).toEqual(['a'])
    expect({ ...values }).toEqual({
      ...{ model: 'm', steps: 100, port: 0, dtype: 'float32', set: ['x=1', 'y=2'], out: undefined, train: false },
      ...{ dashboard: undefined, json: false, help: false },
    })
  })

  test('gives an option without a value the one that it implies', () => {
    expect(parse(['--model', 'm', '--dashboard', '--train'], table).values).toMatchObject({
      dashboard: 6060,
      train: true,
    })
    expect(parse(['--model', 'm', '--dashboard', '8080'], table).values.dashboard).toBe(8080)
  })

  test.each([
    [['--steps', '100'], '--model is missing.'],
    [['--model', 'm', '--steps', '9'], "--steps is '9'; expected a whole number of at least 10."],
    [['--model', 'm', '--port', '65536'], "--port is '65536'; expected a whole number from 0 to 65535."],
    [['--model', 'm', '--dtype', 'int8'], "--dtype is 'int8'; expected one of float32, float16."],
    [['--modle', 'm'], "Unknown option '--modle'. Did you mean '--model'?"],
    [['--model'], "Option '--model <value>' argument missing"],
  ])('%j is refused: %s', (args, message) => {
    expect(() => parse(args, table)).toThrow(message)
  })
})

test('helpText lists every option of the table with its value and default, in lines of at most 120 characters', () => {
  const help = helpText(
    { usage: ['try MODEL', 'try --all'], json: `{${'name, '.repeat(40)}}`, after: 'The end.' },
    table,
    {
      port: 8000,
    },
  )
  const lines = help.split('\n')
  expect(lines.slice(0, 6)).toEqual([
    'Usage: vitral try MODEL [OPTIONS]',
    '       vitral try --all [OPTIONS]',
    '',
    '  --model FOLDER      a model folder',
    '  --steps N           how many there are (100)',
    '  --port N            port to listen on (8000)',
  ])
  expect(help).toContain('  --dtype NAME        of the weights: float32 or float16 (float32)\n')
  expect(help).toContain('  --set KEY=VALUE     sets a field; may be repeated\n')
  expect(help).toContain('  --dashboard [PORT]  shows the run on a page (6060)\n')
  for (const name of [...Object.keys(table), 'json', 'help']) expect(help).toContain(`\n  --${name}`)
  expect(lines.filter(line => line.length > 120)).toEqual([])
  expect(help).toEndWith('\n\nThe end.')
})
