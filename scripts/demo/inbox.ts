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

/** Waits for a link such as `/?reset=TOKEN` in a mail to `address`, and returns the one in the newest such mail. */
export async function readLink(url: string, address: string, kind: string): Promise<string> {
  const pattern = new RegExp(`http\\S+[?&]${kind}=\\S+`)
  return pattern.exec(await readMail(url, address, pattern))![0]
}

/** Waits for a mail to `address` in the local inbox of wrangler dev, and returns the text of the newest that matches. */
export async function readMail(url: string, address: string, pattern = /^/): Promise<string> {
  for (const until = performance.now() + TIMEOUT_MS; performance.now() < until; await sleep(50)) {
    const mails = (await read<Mail[]>(url, 'per_page=100')).filter(({ to }) => to.includes(address))
    for (const { messageId } of mails) {
      const { text } = await read<{ text: string }>(url, `email_id=${encodeURIComponent(messageId)}`)
      if (pattern.test(text)) return text
    }
  }
  throw new Error(`No mail to ${address} that matches ${pattern} within ${TIMEOUT_MS / 1_000} s`)
}

async function read<T>(url: string, query: string): Promise<T> {
  const response = await fetchInTime(`${url}${INBOX}?${query}`, { headers: ownMailOnly })
  if (!response.ok) throw new Error(`${url} has no local inbox (${response.status}): run the demo against npm start`)
  return ((await response.json()) as { result: T }).result
}
