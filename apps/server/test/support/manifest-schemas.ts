/**
 * The fields of Kubernetes' API and of the Compose file format that the manifests use, with their types. They are strict, so
 * that a misspelt name is found, which Kubernetes ignores by default.
 */
import { z } from 'zod'

const labels = z.record(z.string(), z.string())
const meta = z.strictObject({ name: z.string(), labels: labels.optional() })
/** A quantity such as 2Gi or 500m; a plain number is bytes or processors. */
const quantity = z.string().regex(/^\d+(\.\d+)?(m|[kMGT]i?)?$/)
const resources = z.strictObject({ cpu: quantity.optional(), memory: quantity.optional() })
const probe = z.strictObject({
  httpGet: z.strictObject({ path: z.string().startsWith('/'), port: z.union([z.string(), z.int()]) }),
  periodSeconds: z.int().min(1).optional(),
  timeoutSeconds: z.int().min(1).optional(),
})
const seccompProfile = z.strictObject({ type: z.enum(['RuntimeDefault', 'Localhost', 'Unconfined']) })

const container = z.strictObject({
  name: z.string(),
  image: z.string(),
  args: z.array(z.string()).optional(),
  ports: z.array(z.strictObject({ name: z.string().max(15), containerPort: z.int().min(1).max(65535) })),
  lifecycle: z.strictObject({
    preStop: z.strictObject({ exec: z.strictObject({ command: z.array(z.string()).min(1) }) }),
  }),
  livenessProbe: probe,
  readinessProbe: probe,
  resources: z.strictObject({ requests: resources, limits: resources }),
  securityContext: z.strictObject({
    allowPrivilegeEscalation: z.boolean(),
    readOnlyRootFilesystem: z.boolean(),
    capabilities: z.strictObject({ drop: z.array(z.string()) }),
  }),
  volumeMounts: z.array(
    z.strictObject({ name: z.string(), mountPath: z.string().startsWith('/'), readOnly: z.boolean().optional() }),
  ),
})

const volume = z.strictObject({
  name: z.string(),
  persistentVolumeClaim: z.strictObject({ claimName: z.string(), readOnly: z.boolean().optional() }).optional(),
  secret: z.strictObject({ secretName: z.string() }).optional(),
  emptyDir: z.strictObject({}).optional(),
})

const deployment = z.strictObject({
  apiVersion: z.literal('apps/v1'),
  kind: z.literal('Deployment'),
  metadata: meta,
  spec: z.strictObject({
    selector: z.strictObject({ matchLabels: labels }),
    template: z.strictObject({
      metadata: z.strictObject({ labels }),
      spec: z.strictObject({
        terminationGracePeriodSeconds: z.int().min(1),
        automountServiceAccountToken: z.boolean(),
        securityContext: z.strictObject({ runAsNonRoot: z.boolean(), runAsUser: z.int(), seccompProfile }),
        containers: z.array(container).min(1),
        volumes: z.array(volume),
      }),
    }),
  }),
})

const service = z.strictObject({
  apiVersion: z.literal('v1'),
  kind: z.literal('Service'),
  metadata: meta,
  spec: z.strictObject({
    selector: labels,
    ports: z.array(
      z.strictObject({ name: z.string(), port: z.int().min(1).max(65535), targetPort: z.union([z.string(), z.int()]) }),
    ),
  }),
})

const autoscaler = z.strictObject({
  apiVersion: z.literal('autoscaling/v2'),
  kind: z.literal('HorizontalPodAutoscaler'),
  metadata: meta,
  spec: z.strictObject({
    scaleTargetRef: z.strictObject({ apiVersion: z.string(), kind: z.string(), name: z.string() }),
    minReplicas: z.int().min(1),
    maxReplicas: z.int().min(1),
    metrics: z.array(
      z.strictObject({
        type: z.literal('Pods'),
        pods: z.strictObject({
          metric: z.strictObject({ name: z.string() }),
          target: z.strictObject({ type: z.literal('AverageValue'), averageValue: quantity }),
        }),
      }),
    ),
  }),
})

export const kubernetesSchema = z.tuple([deployment, service, autoscaler])

export const composeSchema = z.strictObject({
  services: z.record(
    z.string(),
    z.strictObject({
      image: z.string(),
      build: z.strictObject({ context: z.string(), dockerfile: z.string() }),
      ports: z.array(z.string().regex(/^127\.0\.0\.1:\d+:\d+$/, 'must be of this machine alone')),
      volumes: z.array(z.string().regex(/^[^:]+:\/[^:]+:ro$/, 'must be FROM:TO:ro')),
      read_only: z.boolean(),
      tmpfs: z.array(z.string().startsWith('/')),
      cap_drop: z.array(z.string()),
      security_opt: z.array(z.string()),
      mem_limit: z.string().regex(/^\d+[kmg]$/),
      stop_grace_period: z.string().regex(/^\d+s$/),
      restart: z.enum(['no', 'always', 'on-failure', 'unless-stopped']),
    }),
  ),
})
