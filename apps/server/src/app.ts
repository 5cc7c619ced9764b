/** The HTTP application, without a port, so that a test can call it directly. */
import type { MiddlewareHandler } from 'hono'
import { cors } from 'hono/cors'
import { methodNotAllowed } from 'hono/method-not-allowed'
import { requestId } from 'hono/request-id'
import { secureHeaders } from 'hono/secure-headers'
import { ByteBudget } from './body/byte-budget.ts'
import { type ConfigInput, parseConfig } from './config.ts'
import type { Engine, ManagedEngine } from './engine.ts'
import { answerError, RequestError } from './errors.ts'
import { createMetrics, type Metrics } from './metrics.ts'
import { accessLog } from './middleware/access-log.ts'
import { authenticate } from './middleware/authenticate.ts'
import { clientAddress } from './middleware/client-address.ts'
import { knownHost } from './middleware/known-host.ts'
import { createRateLimiter, rateLimit } from './middleware/rate-limit.ts'
import { sameSite } from './middleware/same-site.ts'
import { classifyRoutes } from './routes/classify.ts'
import { docsRoutes } from './routes/docs.ts'
import { embedRoutes } from './routes/embed.ts'
import { explainRoutes } from './routes/explain.ts'
import { huggingFaceRoutes } from './routes/hugging-face.ts'
import { metricsRoute } from './routes/metrics.ts'
import { modelRoutes } from './routes/models.ts'
import { oipRoutes } from './routes/oip.ts'
import { oipInferRoutes } from './routes/oip-infer.ts'
import { pagePaths, pageRoutes } from './routes/page.ts'
import { repositoryPath, repositoryRoutes } from './routes/repository.ts'
import { type AppEnv, createRouter, type Services } from './services.ts'

/** Options of createApp. */
export interface AppOptions {
  /** Engine that answers; one without `reload` and `unload` has no routes that need them. */
  engine: Engine & Partial<Pick<ManagedEngine, 'reload' | 'unload' | 'memory'>>
  /** Configuration; fields of the engine have no effect here. @default all defaults */
  config?: ConfigInput
  /** Metrics that also count the engine's events. @default metrics of this application's requests alone */
  metrics?: Metrics
  /** Middleware that traces each request. */
  tracing?: MiddlewareHandler<AppEnv>
  /** Whether the server is shutting down: then it reports that it is not ready. @default never */
  isDraining?: () => boolean
}

/** Type of the application, for Hono's typed client: `hc<AppType>(address)` of hono/client. */
export type AppType = ReturnType<typeof createApp>

/**
 * Creates the application with all its routes.
 *
 * @throws Error of one line if the configuration is invalid
 * @example
 * const app = createApp({ engine })
 * const response = await app.request('/v1/models')
 */
export function createApp({
  engine,
  config: input = {},
  metrics = createMetrics(engine),
  tracing,
  isDraining = () => false,
}: AppOptions) {
  const config = parseConfig(input)
  const { auth, cors: allowed, limits, rateLimit: rates, publicMetrics } = config
  const services: Services = { engine, config, metrics, budget: new ByteBudget(limits.totalBytes), isDraining }

  const probes = new Set(['/v2/health/live', '/v2/health/ready'])
  const open = new Set([...probes, ...pagePaths, ...(publicMetrics ? ['/metrics'] : [])])

  const app = createRouter()
  app.onError((error, context) => answerError(context, error))
  app.notFound(context => answerError(context, new RequestError('not_found', 'There is nothing at this address.')))
  app.use(requestId())
  if (config.log) app.use(accessLog(rates))
  if (tracing) app.use(tracing)
  app.use(
    secureHeaders({
      // Pages load from this server only; only they may use the camera.
      contentSecurityPolicy: {
        ...{ defaultSrc: ["'self'"], imgSrc: ["'self'", 'blob:', 'data:'], mediaSrc: ["'self'", 'blob:'] },
        ...{ objectSrc: ["'none'"], baseUri: ["'none'"], frameAncestors: ["'none'"], formAction: ["'none'"] },
      },
      permissionsPolicy: { camera: ['self'], microphone: [], geolocation: [] },
    }),
  )
  const host = knownHost(config)
  if (host) app.use(host)
  app.use(sameSite(allowed.origins))
  if (allowed.origins.length > 0) app.use(cors({ origin: allowed.origins, allowMethods: ['GET', 'POST'] }))
  app.use(
    methodNotAllowed({
      app,
      onMethodNotAllowed: (context, methods) => {
        context.header('Allow', methods.join(', '))
        return answerError(
          context,
          new RequestError('method_not_allowed', `The method is not supported here; expected ${methods.join(' or ')}.`),
        )
      },
    }),
  )
  if (rates.perAddress) {
    const limiter = createRateLimiter(rates.perAddress, rates.entries)
    app.use(rateLimit(limiter, c => (probes.has(c.req.path) ? undefined : clientAddress(c, rates.trustProxy))))
  }
  const isAdmin = (path: string): boolean => auth.adminKeys.length > 0 && path.startsWith(repositoryPath)
  app.use(authenticate(auth.keys, path => open.has(path) || isAdmin(path)))
  app.use(authenticate(auth.adminKeys, path => !isAdmin(path)))
  if (rates.perKey) app.use(rateLimit(createRateLimiter(rates.perKey, rates.entries), c => c.get('key')))

  app.route('/', metricsRoute(services))
  app.route('/', pageRoutes())
  app.route('/', docsRoutes(app))
  // Without an admin key, the routes do not exist.
  if (auth.adminKeys.length > 0) app.route('/', repositoryRoutes(services))
  return app
    .route('/', modelRoutes(services))
    .route('/', classifyRoutes(services))
    .route('/', embedRoutes(services))
    .route('/', explainRoutes(services))
    .route('/', huggingFaceRoutes(services))
    .route('/', oipRoutes(services))
    .route('/', oipInferRoutes(services))
}
