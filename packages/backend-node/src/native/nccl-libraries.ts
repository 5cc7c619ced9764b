/** Where an installed NCCL and its CUDA runtime are found. */

type Variables = Readonly<Record<string, string | undefined>>

/** Files as the system's loader finds them, the likeliest first. VITRAL_NCCL and VITRAL_CUDART name the files instead. */
export function ncclLibraries(env: Variables): { nccl: string[]; cuda: string[] } {
  return {
    nccl: env.VITRAL_NCCL ? [env.VITRAL_NCCL] : ['libnccl.so.2'],
    cuda: env.VITRAL_CUDART
      ? [env.VITRAL_CUDART]
      : ['libcudart.so.13', 'libcudart.so.12', 'libcudart.so.11.0', '/usr/local/cuda/lib64/libcudart.so'],
  }
}
