import { setTimeout as sleep } from 'node:timers/promises'
import { fetchInTime } from '../fetch-in-time.ts'

const INBOX = '/cdn-cgi/local/explorer/api/local/email/sending'
const TIMEOUT_MS = 20_000

/** Limits the answer to mail of this server. Otherwise wrangler asks all running servers, even one that hangs. */
const ownMailOnly = { 'x-miniflare-explorer-no-aggregate': 'true' }

type Mail = { messageId: string; to: string[] }

/** Waits for the mail to `address` in the local inbox of wrangler dev, and returns its verification token. */
export async function readToken(url: string, address: string): Promise<string> {
  const text = await readMail(url, address)
  const [, token] = /token: (\S+)/.exec(text) ?? []
  if (!token) throw new Error(`The mail to ${address} has no token: ${text}`)
  return token
}

/** Waits for the mail to `address` in the local inbox of wrangler dev, and returns its text. */
export async function readMail(url: string, address: string): Promise<string> {
  for (const until = performance.now() + TIMEOUT_MS; performance.now() < until; await sleep(50)) {
    const mail = (await read<Mail[]>(url, 'per_page=100')).find(({ to }) => to.includes(address))
    if (mail) return (await read<{ text: string }>(url, `email_id=${encodeURIComponent(mail.messageId)}`)).text
  }
  throw new Error(`No mail to ${address} within ${TIMEOUT_MS / 1_000} s`)
}

async function read<T>(url: string, query: string): Promise<T> {
  const response = await fetchInTime(`${url}${INBOX}?${query}`, { headers: ownMailOnly })
  if (!response.ok) throw new Error(`${url} has no local inbox (${response.status}): run the demo against npm start`)
  return ((await response.json()) as { result: T }).result
}
