#!/usr/bin/env bash
# npm undici 7.30.2 in Node 20, fetch by a proxy from the environment (EnvHttpProxyAgent):
#   proxyTunnel: false, http: the response's statusText is undefined, against its type, where fetch without a proxy has
#     the server's words; a message made of status and statusText then says "404 undefined".
#   a proxy that refuses CONNECT with 403, 407 or 502: fetch says "fetch failed", its cause "Request was cancelled." with
#     code 0 and the name Error; only the cause of the cause has "Proxy response (403) !== 200 when HTTP Tunneling". The
#     proxy's own words and page are nowhere. Who prints error and cause tells of a cancelled request, which nobody did.
#   undici's request() in the same case throws an AbortError, code UND_ERR_ABORTED: a retry that spares aborted requests
#     takes a proxy's 502 for the user's own abort.
set -euo pipefail
folder=$(mktemp -d); trap 'rm -rf "$folder"' EXIT; cd "$folder"
npm init -y >/dev/null
npm install --no-audit --no-fund --ignore-scripts undici@7.30.2 >/dev/null
cat > run.mjs <<'JS'
import { createServer, get } from 'node:http'
import { EnvHttpProxyAgent, fetch, request } from 'undici'
const listening = server => new Promise(done => server.listen(0, '127.0.0.1', () => done(`http://127.0.0.1:${server.address().port}`)))
const origin = await listening(createServer((_, response) => {
  response.statusMessage = 'Very Fine'
  response.end()
}))
let refusal = 403
const forward = (incoming, outgoing) => get(origin, answer => {
  outgoing.writeHead(answer.statusCode, answer.statusMessage)
  answer.pipe(outgoing)
})
const proxyServer = createServer(forward)
proxyServer.on('connect', (_, socket) => socket.end(`HTTP/1.1 ${refusal} Ask The Admin\r\ncontent-length: 0\r\n\r\n`))
const proxy = await listening(proxyServer)
const dispatcher = new EnvHttpProxyAgent({ httpProxy: proxy, httpsProxy: proxy, noProxy: '', proxyTunnel: false })
const line = ({ status, statusText }) => `${status} "${statusText}"`
console.log('without a proxy', line(await fetch(origin)))
console.log('by the proxy', line(await fetch(origin, { dispatcher })))
for (refusal of [403, 407, 502]) {
  const error = await fetch('https://example.invalid/', { dispatcher }).catch(error => error)
  console.log(`fetch, ${refusal}:`, [error, error.cause, error.cause.cause].map(({ name, message }) => `${name}: ${message}`).join(' < '))
  const other = await request('https://example.invalid/', { dispatcher }).catch(error => error)
  console.log(`request, ${refusal}:`, other.name, other.code)
}
process.exit(0)
JS
said=$(node run.mjs 2>/dev/null); echo "$said"
[ "$said" = 'without a proxy 200 "Very Fine"
by the proxy 200 "undefined"
fetch, 403: TypeError: fetch failed < Error: Request was cancelled. < AbortError: Proxy response (403) !== 200 when HTTP Tunneling
request, 403: AbortError UND_ERR_ABORTED
fetch, 407: TypeError: fetch failed < Error: Request was cancelled. < AbortError: Proxy response (407) !== 200 when HTTP Tunneling
request, 407: AbortError UND_ERR_ABORTED
fetch, 502: TypeError: fetch failed < Error: Request was cancelled. < AbortError: Proxy response (502) !== 200 when HTTP Tunneling
request, 502: AbortError UND_ERR_ABORTED' ]
echo "as stated"
