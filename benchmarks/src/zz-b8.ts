import { randomUniform, tidy } from '@tensorflow/tfjs-core'
import { namedConfig, noGrad, useBackend, ViTForImageClassification, autocast } from '@vitral/core'
await useBackend('native')
const { setThreads } = await import('@vitral/backend-node')
setThreads(Number(process.argv[2] ?? 2))
const b = Number(process.argv[3] ?? 8), n = Number(process.argv[4] ?? 8), dtype = (process.argv[5] ?? 'float32') as 'float32'
const model = new ViTForImageClassification(namedConfig('vit-base-patch16-224', { numLabels: 1000 }))
const med = (a: number[]) => a.toSorted((x, y) => x - y)[a.length >> 1]!
const x = randomUniform([b, 3, 224, 224]) as any
const t: number[] = []
for (let i = 0; i < n; i++) { const s = performance.now(); const l = autocast({ dtype }, () => tidy(() => noGrad(() => model.forward(x).logits))); await l.data(); l.dispose(); t.push(performance.now() - s) }
console.log(`${dtype} b${b} median ${med(t).toFixed(1)} min ${Math.min(...t).toFixed(1)}  ${(35.13 * b / med(t) * 1000).toFixed(0)} GFLOP/s`)
console.error('total', performance.now().toFixed(0))
