/** Where an installed MPI is found. */

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Files as the system's loader finds them, the likeliest first. Both MPIs may be installed: mpirun's variables tell whose
 * it is. VITRAL_MPI names the file instead.
 */
export function mpiLibraries(env: Variables, platform: NodeJS.Platform = process.platform): string[] {
  if (env.VITRAL_MPI) return [env.VITRAL_MPI]
  const openMpi = platform === 'darwin' ? ['libmpi.40.dylib'] : ['libmpi.so.40']
  // Intel MPI and MVAPICH have MPICH's interface under the second name.
  const mpich = platform === 'darwin' ? ['libmpi.12.dylib', 'libmpich.12.dylib'] : ['libmpich.so.12', 'libmpi.so.12']
  return env.PMI_SIZE && !env.OMPI_COMM_WORLD_SIZE ? [...mpich, ...openMpi] : [...openMpi, ...mpich]
}
