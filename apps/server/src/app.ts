/** The HTTP application, apart from the port it listens on, so that a test can call it without one. */
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

export interface AppOptions {
  engine: Engine & Partial<Pick<ManagedEngine, 'reload' | 'unload' | 'memory'>>
  config?: ConfigInput
  /** Given by who also tells it of the engine's events. */
  metrics?: Metrics
  /** Sees each request. */
  tracing?: MiddlewareHandler<AppEnv>
  /** Whether the server is going down: then it takes no new work. */
  isDraining?: () => boolean
}

/** What a typed client calls: `hc<AppType>(address)` of hono/client. */
export type AppType = ReturnType<typeof createApp>

/** @throws one line for a configuration that is wrong */
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
      // Pages and what they load are the server's own; the camera is the page's.
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
        return answerError(context, new RequestError('method_not_allowed', `This address takes ${methods.join(', ')}.`))
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
  // With no key for them, there are no such routes.
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
