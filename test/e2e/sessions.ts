import { expect, test } from 'vitest'
import { heading, logIn, openView } from './actions.ts'
import { violations } from './axe.ts'
import { openSecurity } from './recovery.ts'
import { newPage, type World } from './site.ts'

export function sessionTests(world: World): void {
  test('people see where they are logged in, and end another login, which logs that browser out at once', async () => {
    const { site, ada } = world
    const [phone, laptop] = [await newPage(site), await newPage(site)]
    await logIn(phone, site.origin, 'ada')
    await logIn(laptop, site.origin, 'ada')
    await phone.getByText('Live', { exact: true }).waitFor()
    await laptop.getByText('Live', { exact: true }).waitFor()
    await openSecurity(ada)
    const logins = ada.getByRole('region', { name: 'Where you are logged in' })
    await expect.poll(() => logins.getByRole('listitem').count()).toBe(3)
    expect(await logins.getByRole('listitem').filter({ hasText: 'This browser' }).count()).toBe(1)
    expect(await violations(ada)).toEqual([])
    await logins
      .getByRole('button', { name: /^Log out / })
      .first()
      .click()
    await expect.poll(() => logins.getByRole('listitem').count()).toBe(2)
    const notices = [phone, laptop].map((page) => page.getByText('Your session has expired'))
    const ended = await Promise.race(notices.map((notice, index) => notice.waitFor().then(() => index)))
    const kept = notices[1 - ended]!
    expect(await kept.isVisible()).toBe(false)

    await logins.getByRole('button', { name: 'Log out everywhere else' }).click()
    await ada.getByRole('dialog').getByRole('button', { name: 'Log out', exact: true }).click()
    await kept.waitFor()
    await expect.poll(() => logins.getByRole('listitem').count()).toBe(1)
    await openView(ada, 'Home')
    await heading(ada, 'Home').waitFor()
    await phone.context().close()
    await laptop.context().close()
  })
}
