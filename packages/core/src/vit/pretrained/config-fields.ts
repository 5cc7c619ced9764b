/**
 * Fields of a ViT's `config.json` that Vitral does not read: those that change no number of a forward pass, and those by
 * which another architecture is meant. Sources: transformers 4.2 to 5 (configuration_utils.py and the configuration of
 * each vision model), timm's `pretrained_cfg`.
 */

/** What transformers writes and a ViT's forward pass never looks at. */
export const harmlessFields: readonly string[] = [
  ...['architectures', 'transformers_version', '_name_or_path', 'name_or_path', '_commit_hash', 'torch_dtype', 'dtype'],
  ...['return_dict', 'use_return_dict', 'output_attentions', 'output_hidden_states', 'torchscript', 'use_bfloat16'],
  ...['_attn_implementation', 'attn_implementation', '_attn_implementation_autoset', 'tf_legacy_loss'],
  ...[
    'chunk_size_feed_forward',
    'gradient_checkpointing',
    'use_cache',
    'finetuning_task',
    'task_specific_params',
    'use_mask_token',
  ],
  ...['is_encoder_decoder', 'is_decoder', 'tie_encoder_decoder', 'tie_word_embeddings', 'tokenizer_class', 'prefix'],
  ...['bos_token_id', 'eos_token_id', 'pad_token_id', 'sep_token_id', 'decoder_start_token_id', 'encoder_stride'],
  ...['max_length', 'min_length', 'do_sample', 'early_stopping', 'num_beams', 'num_beam_groups', 'diversity_penalty'],
  ...['temperature', 'top_k', 'top_p', 'typical_p', 'repetition_penalty', 'length_penalty', 'no_repeat_ngram_size'],
  ...['encoder_no_repeat_ngram_size', 'bad_words_ids', 'num_return_sequences', 'output_scores'],
  ...['return_dict_in_generate', 'forced_bos_token_id', 'forced_eos_token_id', 'remove_invalid_values'],
  ...['exponential_decay_length_penalty', 'suppress_tokens', 'begin_suppress_tokens'],
]

const flags = (...names: readonly string[]) => names.map(name => [name, [false]] as const)
const values = (...names: readonly string[]) => names.map(name => [name, []] as const)

/** What no ViT of transformers has, or what it obeys and Vitral cannot; with the values that ask for nothing. */
export const refusedFields: Readonly<Record<string, readonly unknown[]>> = Object.fromEntries([
  // transformers' own, in any configuration
  ...values('pruned_heads', 'per_layer_config', 'quantization_config', 'transformers_weights'),
  ...values('cross_attention_hidden_size'),
  ...flags('add_cross_attention'),
  // DINOv2 and 3, EVA-02, BEiT, data2vec, CaiT: blocks that are no ViT's
  ...flags('use_swiglu_ffn', 'use_gated_mlp', 'swiglu_mlp', 'use_qk_norm', 'qk_norm'),
  ...flags('use_relative_position_bias', 'use_shared_relative_position_bias'),
  ...flags('use_rel_pos', 'use_rope', 'use_rotary_embedding', 'use_mean_pooling', 'no_embed_class'),
  ...values('layerscale_value', 'layer_scale_init_value', 'init_values', 'norm_layer', 'act_layer', 'rope_theta'),
  ...values('rope_parameters', 'rope_scaling', 'pos_embed_rescale', 'window_size', 'window_block_indices', 'depths'),
  ...[['num_register_tokens', [0]] as const, ['reg_tokens', [0]] as const, ['num_detection_tokens', [0]] as const],
  ...[['mlp_ratio', [4]] as const, ['norm_type', ['layer_norm', 'layernorm']] as const],
  ...[['query_bias', [true]] as const, ['key_bias', [true]] as const, ['value_bias', [true]] as const],
  ...[['mlp_bias', [true]] as const, ['proj_bias', [true]] as const, ['attention_bias', [true]] as const],
  ...[['position_embedding_type', ['absolute']] as const, ['global_pool', ['token']] as const],
  ...[['use_abs_pos', [true]] as const, ['use_absolute_position_embeddings', [true]] as const],
  ...[['pool_type', ['token', 'cls']] as const],
  // a transformer within another model
  ...values('vision_config', 'text_config', 'backbone_config', 'backbone', 'projection_dim'),
])
