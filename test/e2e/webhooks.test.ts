import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Page } from 'playwright-core'
import { Webhook } from 'standardwebhooks'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../crash/server.ts'
import { heading, newUser } from './actions.ts'
import { violations } from './axe.ts'
import { confirmIfAsked } from './recovery.ts'
import { describeSite } from './site.ts'

const port = await freePort()
const received: { headers: Record<string, string>; body: string }[] = []
let status = 204
const receiver = createServer(async (request, response) => {
  const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
  received.push({ headers, body: await text(request) })
  response.writeHead(status).end('thank you')
})
beforeAll(() => new Promise<void>((resolve) => receiver.listen(port, '127.0.0.1', resolve)))
afterAll(() => void receiver.close())

async function shot(page: Page, name: string): Promise<void> {
  for (const [colorScheme, width] of [
    ['light', 390],
    ['dark', 1280],
    ['dark', 390],
    ['light', 1280],
  ] as const) {
    await page.emulateMedia({ colorScheme })
    await page.setViewportSize({ width, height: 900 })
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
    const file = `${process.env.SCREENSHOTS}/${name}-${width}-${colorScheme}.png`
    if (process.env.SCREENSHOTS) await page.screenshot({ path: file, fullPage: true })
    expect(await violations(page)).toEqual([])
  }
}

describeSite(
  'webhooks',
  (world) => {
    test('a developer creates a webhook, sends a test, follows its attempts and replays it', async () => {
      const { site } = world
      const ada = await newUser(site, 'ada', 'Ada Lovelace')
      await ada.goto(`${site.origin}/webhooks`)
      await heading(ada, 'Webhooks').waitFor()
      await ada.getByText('You have no webhooks.').waitFor()
      const form = ada.getByRole('form', { name: 'Create a webhook' })
      await form.getByLabel('Address').fill('http://10.0.0.1/')
      await form.getByLabel('Somebody likes your post').check()
      await form.getByRole('button', { name: 'Create webhook' }).click()
      const problem = form.getByText('must be a public https address')
      await confirmIfAsked(ada, problem)
      await form.getByLabel('Address').fill(`http://127.0.0.1:${port}/in`)
      await form.getByRole('button', { name: 'Create webhook' }).click()
      const secret = (await ada.getByText(/^whsec_/).textContent()) ?? ''
      await shot(ada, 'webhooks')

      await ada.getByRole('link', { name: /^Deliveries of/ }).click()
      await heading(ada, 'Deliveries').waitFor()
      await ada.getByRole('button', { name: 'Send test' }).click()
      const delivery = ada.getByRole('article', { name: 'webhook.test delivered' })
      await delivery.waitFor()
      const [message] = received
      expect(new Webhook(secret).verify(message!.body, message!.headers)).toMatchObject({ type: 'webhook.test' })
      await delivery.getByRole('button', { name: 'Attempts' }).click()
      await delivery.getByText(/^204 in/).waitFor()
      await shot(ada, 'deliveries')

      status = 500
      await delivery.getByRole('button', { name: 'Replay' }).click()
      const waiting = ada.getByRole('article', { name: 'webhook.test waiting' })
      await waiting.getByText('last answer 500').waitFor()
      status = 204
      await ada.getByRole('article', { name: 'webhook.test delivered' }).waitFor()
      expect(new Set(received.map(({ headers }) => headers['webhook-id'])).size).toBe(1)
      await ada.getByRole('button', { name: 'Failed' }).click()
      await ada.getByText('Nothing here yet.').waitFor()
      expect(site.consoleErrors.filter((text) => !text.includes('422') && !text.includes('403'))).toEqual([])
    })
  },
  { variables: { OUTBOUND_LOCAL_HOSTS: `127.0.0.1:${port}` } },
)
