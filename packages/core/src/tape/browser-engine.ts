/**
 * What bundles for browsers may lack of tfjs-core: its gradients, which it leaves to its importer, and its platform, which
 * `bun build` drops (it does not understand the `*` in tfjs-core's list of modules with side effects).
 */
import './stock-gradients.ts'
import { env } from '@tensorflow/tfjs-core'
import { PlatformBrowser } from '@tensorflow/tfjs-core/dist/platforms/platform_browser.js'

if (!env().platform) env().setPlatform('browser', new PlatformBrowser())
