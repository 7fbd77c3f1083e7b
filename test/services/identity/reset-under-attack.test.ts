import { expect, test, vi } from 'vitest'
import { registeredUser } from '../../support/actors.ts'
import { logIn } from '../../support/auth.ts'
import { anonymousClient } from '../../support/client.ts'
import { interceptMails } from '../../support/mails.ts'
import { delivered } from '../../support/outboxes.ts'
import { forgot, mailedResetToken, NEW_PASSWORD, resend, resetWith } from '../../support/recovery.ts'

const { mailsTo } = interceptMails()

test('requests to verify an address again get five emails an hour, and do not keep its owner from a reset', async () => {
  await registeredUser('mia_reset')
  for (let i = 0; i < 7; i++) expect((await resend('mia_reset@example.com')).status).toBe(202)
  expect((await forgot('mia_reset')).status).toBe(202)
  await delivered()
  expect(
    mailsTo('mia_reset@example.com')
      .map(({ subject }) => subject)
      .toSorted(),
  ).toEqual(['Reset your password', ...Array(5).fill('Your address is already verified')])
})

test('many requests for one address at the same time do not lead to a refusal of its owner', async () => {
  for (const ask of [forgot, resend]) {
    const statuses = await Promise.all(
      Array.from({ length: 22 }, async () => (await ask('nia_reset@example.com')).status),
    )
    expect(statuses).toEqual(Array(22).fill(202))
  }
})

test('after a reset, its owner logs in while others guess, and older device tokens are void', async () => {
  const ola = await registeredUser('ola_reset')
  const by = anonymousClient()
  for (let i = 0; i < 10; i++) expect((await logIn('ola_reset', 'not the password', by)).status).toBe(401)
  // Each reading of the clock is a millisecond later than the one before.
  let time = Date.now()
  const clock = vi.spyOn(Date, 'now').mockImplementation(() => ++time)
  const reset = await resetWith(await mailedResetToken(ola.id))
  clock.mockRestore()
  const { deviceToken } = await reset.json<{ deviceToken?: string }>()
  const outcomes = []
  for (const token of [undefined, ola.deviceToken, deviceToken])
    outcomes.push((await logIn('ola_reset', NEW_PASSWORD, by, token)).status)
  expect(outcomes).toEqual([403, 403, 200])
})
