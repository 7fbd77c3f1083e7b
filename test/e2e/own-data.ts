import { expect, test } from 'vitest'
import { heading, logIn, openView } from './actions.ts'
import { violations } from './axe.ts'
import { newPage, type World } from './site.ts'

export function ownDataTests(world: World): void {
  test('a deleted account is hidden at once, and kept by logging in', async () => {
    const { site, ada } = world
    await openView(ada, 'Profile')
    await ada.getByRole('link', { name: 'Settings' }).click()
    await heading(ada, 'Delete account').waitFor()
    expect(await violations(ada), 'delete').toEqual([])
    const form = ada.getByRole('form', { name: 'Delete account' })
    await form.getByLabel('Password', { exact: true }).fill('a wrong long password')
    await form.getByRole('button', { name: 'Delete my account' }).click()
    await ada.getByText('The password is wrong.').waitFor()
    await form.getByLabel('Password', { exact: true }).fill('a long enough password')
    await form.getByRole('button', { name: 'Delete my account' }).click()
    await ada.getByText(/^Your account is hidden now, and will be erased on/).waitFor()
    expect(await violations(ada), 'deleted').toEqual([])
    const visitor = await newPage(site)
    await visitor.goto(`${site.origin}/@ada`)
    await heading(visitor, 'Page not found').waitFor()

    await logIn(ada, site.origin, 'ada')
    await ada.getByText('Your account will not be deleted.').waitFor()
    await visitor.reload()
    await visitor.getByRole('heading', { level: 2, name: 'Ada Lovelace' }).waitFor()
    await visitor.context().close()
  })
}
