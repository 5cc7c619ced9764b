/** `adapter_config.json` as PEFT writes it: which of its fields are obeyed, which change no number, and all others refused. */
import { describeValue, type FieldTable, oneOf, readFields, wholeNumber } from '../../files/fields.ts'
import { isAlpha, MOST_RANK } from './lora.ts'

const table: FieldTable<'kind' | 'rank' | 'alpha' | 'initialization'> = {
  what: "the configuration of PEFT's adapters",
  obeyed: {
    kind: { key: 'peft_type', ...oneOf('LORA') },
    rank: { key: 'r', ...wholeNumber(1, MOST_RANK) },
    alpha: { key: 'lora_alpha', expected: 'a number above 0', read: value => (isAlpha(value) ? value : undefined) },
    initialization: { key: 'init_lora_weights', expected: 'true, false, "gaussian" or "eva"', read: toInitialization },
  },
  // Which weights are adapted is read from the tensors' names; the others are for training, or without effect by themselves.
  harmless: [
    ...['auto_mapping', 'base_model_name_or_path', 'peft_version', 'revision', 'task_type', 'inference_mode'],
    ...[
      'lora_dropout',
      'target_modules',
      'exclude_modules',
      'layers_to_transform',
      'layers_pattern',
      'modules_to_save',
    ],
    ...['runtime_config', 'ephemeral_gpu_offload', 'megatron_core', 'qalora_group_size', 'eva_config'],
  ],
  refused: {
    bias: ['none'],
    use_dora: [false],
    use_rslora: [false],
    use_qalora: [false],
    use_bdlora: [false],
    fan_in_fan_out: [false],
    lora_bias: [false],
    ensure_weight_tying: [false],
    loftq_config: [],
    corda_config: [],
    lora_ga_config: [],
    velora_config: [],
    monteclora_config: [],
    arrow_config: [],
    megatron_config: [],
    alora_invocation_tokens: [],
    trainable_token_indices: [],
    target_parameters: [],
    layer_replication: [],
  },
  unknown: 'refused',
}

/**
 * Reads what plain LoRA adapters say of themselves.
 *
 * @param source what errors call the file
 * @throws naming the field that asks for what Vitral does not have
 */
export function adapterConfigFromJson(json: unknown, source: string): { rank: number; alpha: number } {
  const { rank_pattern: ranks, alpha_pattern: alphas, ...file } = Object(json) as Record<string, unknown>
  for (const [field, pattern] of Object.entries({ rank_pattern: ranks, alpha_pattern: alphas }))
    if (Object.keys(pattern ?? {}).length > 0)
      throw new Error(`${source}: ${field} gives some layers another value; expected the same for all.`)
  const { values } = readFields(Array.isArray(json) ? json : file, table, source)
  for (const [field, { key, expected }] of Object.entries(table.obeyed))
    if (field !== 'initialization' && !(field in values))
      throw new Error(`${source}: ${key} is ${describeValue(undefined)}; expected ${expected}.`)
  return values as { rank: number; alpha: number }
}

/** PiSSA, OLoRA, CorDA, LoftQ, LoRA-GA and orthogonal initialization change the base model, of which the adapters are then not. */
function toInitialization(value: unknown): unknown {
  return [true, false, 'gaussian', 'eva'].includes(value as string) ? value : undefined
}
