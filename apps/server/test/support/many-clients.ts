/** Many clients at once, each with a connection that it keeps: many-clients.ts URL CLIENTS SECONDS BODY. Writes their answers. */
const [url, clients, seconds, body] = process.argv.slice(2) as [string, string, string, string]
const end = performance.now() + Number(seconds) * 1000
const statuses = new Map<number, number>()

async function client(): Promise<number> {
  let completed = 0
  while (performance.now() < end) {
    const headers = { 'content-type': 'application/json' }
    const response = await fetch(url, { method: 'POST', body, headers })
    await response.arrayBuffer()
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1)
    completed++
  }
  return completed
}

const completed = await Promise.all(Array.from({ length: Number(clients) }, client))
console.log(JSON.stringify({ statuses: [...statuses], least: Math.min(...completed), most: Math.max(...completed) }))
