/** Names of the activations, without tensors: configurations are checked by them. */

/** gelu: exact; gelu_tanh: its approximation by tanh; quick_gelu: x·σ(1.702·x); silu: x·σ(x). */
export type Activation = 'gelu' | 'gelu_tanh' | 'quick_gelu' | 'silu' | 'relu'

export const activations: readonly Activation[] = ['gelu', 'gelu_tanh', 'quick_gelu', 'silu', 'relu']
