import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { heading, logIn } from './actions.ts'
import { violations } from './axe.ts'
import { confirmIfAsked, openSecurity } from './recovery.ts'
import { newPage, type World } from './site.ts'

export function ownDataTests(world: World): void {
  test('people download a copy of their data, which opens as a zip and contains their posts', async () => {
    const { ada } = world
    await openSecurity(ada)
    await ada.getByRole('link', { name: 'Your data' }).click()
    await heading(ada, 'Your data').waitFor()
    await ada.getByRole('button', { name: 'Request a copy' }).click()
    const button = ada.getByRole('button', { name: 'Download' })
    await confirmIfAsked(ada, ada.getByText('Requested on'))
    await button.waitFor({ timeout: 60_000 })
    expect(await violations(ada)).toEqual([])
    const [download] = await Promise.all([ada.waitForEvent('download'), button.click()])
    expect(download.suggestedFilename()).toMatch(/^socialconnect-[\d-]+\.zip$/)
    const { stdout } = spawnSync('python3', ['-c', LIST, await download.path()], { encoding: 'utf8' })
    expect(stdout).toContain('index.html')
    expect(stdout).toContain('Readable for everyone')
  })

  test('the history shows what happened to the account, with the device', async () => {
    const { ada } = world
    await openSecurity(ada)
    await ada.getByRole('link', { name: 'History' }).click()
    await heading(ada, 'History').waitFor()
    const history = ada.getByRole('region', { name: 'History of your account' })
    await history.getByText('Registered', { exact: true }).waitFor()
    await history.getByText('Email address confirmed').waitFor()
    expect(await violations(ada)).toEqual([])
  })

  test('people create an API key, see it once, and delete it', async () => {
    const { ada } = world
    await openSecurity(ada)
    await ada.getByRole('link', { name: 'API keys' }).click()
    await heading(ada, 'API keys').waitFor()
    const form = ada.getByRole('form', { name: 'Create a key' })
    await form.getByLabel('Name').fill('Weather bot')
    await form.getByRole('button', { name: 'Create key' }).click()
    await form.getByText('must allow at least one thing').waitFor()
    await form.getByLabel('publish, delete and like posts').check()
    await form.getByRole('button', { name: 'Create key' }).click()
    const secret = ada.getByText(/^sc_\d+_[0-9a-f]{72}$/)
    await confirmIfAsked(ada, secret)
    const row = ada.getByRole('listitem').filter({ hasText: 'Weather bot' })
    await row.getByText('Never used').waitFor()
    expect(await violations(ada)).toEqual([])
    await ada.reload()
    await row.waitFor()
    expect(await secret.count()).toBe(0)
    await row.getByRole('button', { name: 'Delete Weather bot' }).click()
    await ada.getByRole('dialog').getByRole('button', { name: 'Delete' }).click()
    await ada.getByText('You have no keys.').waitFor()
  })

  test('a deleted account is hidden at once, and kept by logging in', async () => {
    const { site, ada } = world
    await openSecurity(ada)
    await ada.getByRole('link', { name: 'Delete' }).click()
    await heading(ada, 'Delete account').waitFor()
    expect(await violations(ada), 'delete').toEqual([])
    await ada.getByRole('button', { name: 'Delete my account' }).click()
    const dialog = ada.getByRole('dialog', { name: 'Confirm that it is you' })
    await dialog.getByLabel('Password', { exact: true }).fill('a wrong long password')
    await dialog.getByRole('button', { name: 'Continue' }).click()
    await ada.getByText('The password is wrong.').waitFor()
    await dialog.getByLabel('Password', { exact: true }).fill('a long enough password')
    await dialog.getByRole('button', { name: 'Continue' }).click()
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

// Python has a zip reader that knows nothing of ours.
const LIST = `
import sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
assert archive.testzip() is None
for name in archive.namelist():
    print(name)
    if name.endswith(('.json', '.html')): print(archive.read(name).decode())
`
