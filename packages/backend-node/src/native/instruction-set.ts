/** The compiled instruction sets, best first. */
export type InstructionSet = 'amx' | 'avx512bf16' | 'avx512' | 'avx2' | 'portable'
