/**
 * Registers tfjs-core's own gradients, which tfjs-core leaves to its importer.
 *
 * The deep import works in Bun and in bundlers; plain Node cannot resolve it. There `#stock-gradients` is what the build
 * makes of this file (scripts/build.ts).
 */
import '@tensorflow/tfjs-core/dist/register_all_gradients.js'
